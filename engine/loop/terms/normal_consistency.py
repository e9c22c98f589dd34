"""Normal consistency: splats' normals agree with those of the surface that their depth shows (2DGS, arXiv
2403.17888, eq. 14).

Splats that fit pictures are free to stand across the surface that they paint, which leaves it dented under
light.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.normals import depth_normals
from engine.core.views import Views
from engine.loop.terms.rendered import RenderedStep

OPAQUE = 0.9
"""Alpha from which on a pixel counts; borders and mist have no normal."""


def loss(step: RenderedStep) -> Tensor | None:
    """``surface_weight`` times the inconsistency of the step's views; None where it is 0 or they have no
    normals.
    """
    if step.views.normal is None or not step.knobs.surface_weight:
        return None
    return step.scaled(step.knobs.surface_weight * normal_consistency(step.views, step.cameras))


def normal_consistency(views: Views, cameras: Cameras) -> Tensor:
    """Mean over all pixels of alpha - N . n where the picture is opaque, 0 elsewhere.

    N is ``views.normal``, composed like colours, and n the unit normal of the depth picture, both in world
    axes.
    """
    depth = views.depth / views.alpha.clamp(min=0.05)
    assert views.normal is not None, "ask the renderer for normals"
    normal = depth_normals(depth[..., 0], cameras)
    opaque = (views.alpha > OPAQUE).to(depth.dtype)
    inner = F.pad(opaque[:, 1:-1, 1:-1], (0, 0, 1, 1, 1, 1))  # the rim has no neighbours
    return (inner * (views.alpha - (views.normal * normal).sum(-1, keepdim=True))).mean()
