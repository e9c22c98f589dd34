"""Bring rendered pictures to a prior's native size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def to_square(pictures: Tensor, side: int) -> Tensor:
    """Square pictures (B,H,W,C), channels last, to (B,C,side,side), channels first, differentiably.

    Shrinks by area, so that every pixel counts; enlarges bilinearly, so that no blocks appear.
    """
    height, width = pictures.shape[1:3]
    assert height == width, f"a prior looks at square pictures, got {width} x {height}"
    pictures = pictures.permute(0, 3, 1, 2)
    if height == side:
        return pictures
    if height > side:
        return torch.nn.functional.interpolate(pictures, size=(side, side), mode="area")
    return torch.nn.functional.interpolate(pictures, size=(side, side), mode="bilinear", align_corners=False)
