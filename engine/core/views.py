"""What a renderer returns and a prior looks at: pictures with their alpha and depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Shares of display red, green and blue in lightness (Rec. ITU-R BT.601)."""

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""The same by Rec. ITU-R BT.709."""


@dataclass(frozen=True, eq=False)
class Views:
    """B pictures. ``rgb`` (B,H,W,3) in 0..1 over the background it was rendered with (premultiplied when that
    was black), ``alpha`` (B,H,W,1) in 0..1, ``depth`` (B,H,W,1) expected view-space z weighted by alpha
    (divide by alpha for the surface), ``normal`` (B,H,W,3) world space, on demand. ``means2d`` (B,N,2)
    pixels, splats only: keeps its gradient. ``depth2`` (B,H,W,1) is the expected square of z weighted by
    alpha, of splats together with the normals.
    """

    rgb: Tensor
    alpha: Tensor
    depth: Tensor
    normal: Tensor | None = None
    means2d: Tensor | None = None
    depth2: Tensor | None = None

    @property
    def rgba(self) -> Tensor:
        """Colour and alpha in one (B,H,W,4)."""
        return torch.cat([self.rgb, self.alpha], dim=-1)

    def __len__(self) -> int:
        return len(self.rgb)

    def detach(self) -> Views:
        """The same pictures without their history."""
        normal = None if self.normal is None else self.normal.detach()
        depth2 = None if self.depth2 is None else self.depth2.detach()
        return Views(self.rgb.detach(), self.alpha.detach(), self.depth.detach(), normal, depth2=depth2)


def composite(rgb: Tensor, alpha: Tensor, background: Tensor | None) -> Tensor:
    """Premultiplied ``rgb`` (B,H,W,3) over ``background`` (3,), (B,1,1,3) or (B,H,W,3); None is black."""
    return rgb if background is None else rgb + (1 - alpha) * background
