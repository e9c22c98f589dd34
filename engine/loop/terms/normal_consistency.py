"""Normal consistency: splats' normals agree with those of the surface that their depth shows (2DGS, arXiv 2403.17888, eq. 14).

Splats that fit pictures are free to stand across the surface that they paint, which leaves it dented under light.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.normals import unprojected
from engine.core.views import Views
from engine.loop.terms.rendered import RenderedStep

OPAQUE = 0.9
"""Alpha from which on a pixel counts; borders and mist have no normal."""


def loss(step: RenderedStep) -> Tensor | None:
    """``surface_weight`` times the inconsistency of the step's views; None where it is 0 or they have no normals."""
    if step.views.normal is None or not step.knobs.surface_weight:
        return None
    return step.scaled(step.knobs.surface_weight * normal_consistency(step.views, step.cameras))


def normal_consistency(views: Views, cameras: Cameras) -> Tensor:
    """Mean over all pixels of alpha - N . n where the picture is opaque, 0 elsewhere.

    N is ``views.normal``, composed like colours, and n the unit normal of the depth picture, both in world axes.
    """
    depth = views.depth / views.alpha.clamp(min=0.05)
    normal = depth_normals(depth[..., 0], cameras)
    opaque = (views.alpha > OPAQUE).to(depth.dtype)
    inner = F.pad(opaque[:, 1:-1, 1:-1], (0, 0, 1, 1, 1, 1))  # the rim has no neighbours
    return (inner * (views.alpha - (views.normal * normal).sum(-1, keepdim=True))).mean()


def depth_normals(depth: Tensor, cameras: Cameras) -> Tensor:
    """Unit normals (B,H,W,3) in world axes, towards the camera, of pictures of depth along its axis (B,H,W); 0 at the rim."""
    points = unprojected(depth[..., None], cameras)
    right = points[:, 1:-1, 2:] - points[:, 1:-1, :-2]
    down = points[:, 2:, 1:-1] - points[:, :-2, 1:-1]
    towards = F.normalize(torch.linalg.cross(down, right), dim=-1)
    world = torch.einsum("bij,bhwj->bhwi", cameras.c2w[:, :3, :3].to(depth), towards)
    return F.pad(world, (0, 0, 1, 1, 1, 1))
