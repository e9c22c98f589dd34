"""How far the surfaces of a scene face from where an estimator says that those of the given pictures do
(normals as supervision, after MonoSDF, arXiv 2206.00665, eq. 10).
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.assets.images.mono_depth import LEAST_PIXELS, SOLID
from engine.core.cameras import Cameras
from engine.core.normals import camera_normals
from engine.core.views import Views


def facing_loss(views: Views, cameras: Cameras, normals: Tensor, alpha: Tensor) -> Tensor:
    """The mean of (1 - cosine) / 2 (B,) between the normals of what is rendered, by its depth, and
    ``normals`` (B,H,W,3), unit vectors in each camera's axes, over what both show.

    ``alpha`` (B,H,W,1) is that of the pictures. 0 for views that share less than ``LEAST_PIXELS`` pixels with
    theirs.
    """
    both = ((views.alpha > SOLID) & (alpha > SOLID)).to(normals)
    cosine = (camera_normals(views.depth, views.alpha, cameras) * normals).sum(-1, keepdim=True)
    pixels = both.sum((1, 2, 3))
    apart = ((1 - cosine) / 2 * both).sum((1, 2, 3)) / pixels.clamp(min=1)
    return torch.where(pixels >= LEAST_PIXELS, apart, 0.0)
