"""Losses that carry a gradient computed elsewhere, and gradients kept within bounds on their way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def loss_from_gradient(x: Tensor, gradient: Tensor) -> Tensor:
    """Scalar whose derivative with respect to ``x`` (B,...) is exactly ``gradient / B``.

    All distillation methods go through here, so that they share one normalisation. Values that are not finite
    become 0.
    """
    gradient = torch.nan_to_num(gradient.detach(), nan=0.0, posinf=0.0, neginf=0.0)
    target = (x - gradient).detach()
    return 0.5 * (x - target).square().sum() / len(x)


CLIPPINGS = ("off", "value", "norm", "peak")
"""By value bounds each channel and may turn a pixel's direction; norm (Euclidean) and peak (largest channel)
only shorten it.
"""


def clip_backward(pictures: Tensor, limit: float, by: str) -> Tensor:
    """``pictures`` (...,C) themselves; the gradient that comes back through them is clipped pixel by pixel
    (CLIPPINGS).

    Pixel-wise gradient clipping, arXiv 2310.12474: what an encoder blows up at a few pixels cannot outweigh
    all others. The authors clip before the mean over a step's B views, and here the loss is that mean
    already, so that the same limit is B times looser: divide theirs by the number of views.
    """
    if by == "off":
        return pictures
    watched = pictures.view_as(pictures)
    if watched.requires_grad:
        watched.register_hook(lambda gradient: clip_pixels(gradient, limit, by))
    return watched


def clip_pixels(gradient: Tensor, limit: float, by: str) -> Tensor:
    """``gradient`` (...,C) with no pixel above ``limit`` > 0; values that are not finite become 0."""
    gradient = torch.nan_to_num(gradient, nan=0.0, posinf=0.0, neginf=0.0)
    if by == "value":
        return gradient.clamp(-limit, limit)
    # a pixel of size 0 gives limit / 0 = inf, and stays
    return gradient * (limit / pixel_size(gradient, by)).clamp(max=1)


def clipped_share(gradient: Tensor, limit: float, by: str) -> float:
    """The share of pixels of ``gradient`` (...,C) that clipping changes, 0..1."""
    return float((pixel_size(gradient, by) > limit).float().mean())


def pixel_size(gradient: Tensor, by: str) -> Tensor:
    """How large the gradient of each pixel is (...,1): its Euclidean norm, or its largest channel."""
    if by == "norm":
        return torch.linalg.vector_norm(gradient, dim=-1, keepdim=True)
    return gradient.abs().amax(dim=-1, keepdim=True)
