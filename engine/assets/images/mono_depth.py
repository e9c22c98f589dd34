"""How far a scene's relief is from what an estimator sees in the given pictures, which knows it up to scale
and shift alone.

Nearness, the inverse of depth, is compared by its correlation (Magic123, arXiv 2306.17843, section 3.2), and
the normals that the aligned estimate implies by their cosine. Both lie in 0..1 and need no units.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.normals import camera_normals
from engine.core.views import Views

LEAST_PIXELS = 16
SOLID = 0.5  # alpha from which a pixel has a depth


def relief_loss(views: Views, cameras: Cameras, nearness: Tensor, alpha: Tensor) -> Tensor:
    """Losses (B,), each the mean of (1 - correlation) / 2 of nearness and (1 - cosine) / 2 of normals, over
    what both show.

    ``nearness`` (B,H,W,1) is the estimate, larger where nearer; ``alpha`` (B,H,W,1) that of the pictures. 0
    for views that share less than ``LEAST_PIXELS`` pixels with theirs.
    """
    both = (views.alpha > SOLID) & (alpha > SOLID)
    scene_nearness = views.alpha / views.depth.clamp(min=1e-6)
    enough = both.sum((1, 2, 3)) >= LEAST_PIXELS
    apart = (1 - correlation(scene_nearness, nearness, both)) / 2
    normals = _normal_loss(views, cameras, aligned(nearness, scene_nearness.detach(), both), both)
    return torch.where(enough, (apart + normals) / 2, 0.0)


def correlation(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """Pearson's coefficient (B,) of pictures (B,H,W,1) over a mask; 0 where either is constant."""
    a, b = (_centred(part, mask)[0] for part in (a, b))
    scale = (a.square().sum((1, 2, 3)) * b.square().sum((1, 2, 3))).clamp(min=1e-24).sqrt()
    return (a * b).sum((1, 2, 3)) / scale


def aligned(estimate: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """``estimate`` scaled and shifted to be nearest to ``target`` over ``mask``, in the mean square (arXiv
    1907.01341, eq. 4).

    All (B,H,W,1). It is never turned inside out: the scale is at least 0. What falls below a tenth of the
    target's mean, as an estimate far from the truth may, is raised to that.
    """
    (e, mean_e), (t, mean_t) = _centred(estimate, mask), _centred(target, mask)
    slope = (e * t).sum((1, 2, 3), keepdim=True) / e.square().sum((1, 2, 3), keepdim=True).clamp(min=1e-12)
    return torch.maximum(slope.clamp(min=0) * (estimate - mean_e) + mean_t, 0.1 * mean_t)


def _normal_loss(views: Views, cameras: Cameras, nearness: Tensor, both: Tensor) -> Tensor:
    """(1 - cosine) / 2 between the scene's normals and those of the estimate (B,)."""
    ones = both.to(nearness)
    wanted = camera_normals(ones / nearness.clamp(min=1e-6), ones, cameras)
    cosine = (camera_normals(views.depth, views.alpha * ones, cameras) * wanted).sum(-1, keepdim=True)
    return ((1 - cosine) / 2 * ones).sum((1, 2, 3)) / ones.sum((1, 2, 3)).clamp(min=1)


def _centred(part: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Less its mean over the mask, 0 beyond it; and that mean (B,1,1,1)."""
    ones = mask.to(part)
    mean = (part * ones).sum((1, 2, 3), keepdim=True) / ones.sum((1, 2, 3), keepdim=True).clamp(min=1)
    return (part - mean) * ones, mean
