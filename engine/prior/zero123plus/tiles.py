"""Six views as one picture of three rows and two columns, and the latents that this picture has.

Renders have other statistics than photographs; the publisher brings both nearer: pictures lose contrast about
grey, latents are shifted and scaled. What is noisy are the latents after both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from engine.core.views import Views
from engine.prior.latent.space import LatentSpace

ROWS, COLUMNS = 3, 2
VIEWS = ROWS * COLUMNS
CONTRAST = 0.5 / 0.8
SHIFT, SCALE = 0.22, 0.75


def joined(views: Tensor) -> Tensor:
    """Six views (6N,C,h,w) as N pictures (N,C,3h,2w), row by row."""
    return views.unflatten(0, (-1, ROWS, COLUMNS)).permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)


def parted(pictures: Tensor) -> Tensor:
    """The inverse of ``joined``."""
    return (
        pictures.unflatten(3, (COLUMNS, -1)).unflatten(2, (ROWS, -1)).permute(0, 2, 4, 1, 3, 5).flatten(0, 2)
    )


@dataclass(frozen=True, eq=False)
class TileSpace(LatentSpace):
    """Latents (B,4,h,w) of single views with ``side`` pixels."""

    def encode(self, rgb: Tensor, most: int) -> Tensor:
        """Each view by itself."""
        return (super().encode(0.5 + CONTRAST * (rgb - 0.5), most) - SHIFT) * SCALE

    def decode(self, x: Tensor, most: int) -> Views:
        """Six views as one picture, as they were drawn; one after the other where fewer than six may be
        decoded at once.
        """
        together = most >= VIEWS and len(x) % VIEWS == 0
        views = super().decode(
            (joined(x) if together else x) / SCALE + SHIFT, most // VIEWS if together else most
        )
        rgb = (0.5 + (views.rgb - 0.5) / CONTRAST).clamp(0, 1)
        views = replace(views, rgb=rgb)
        return _parted_views(views) if together else views


def _parted_views(views: Views) -> Views:
    parts = (
        parted(part.permute(0, 3, 1, 2)).permute(0, 2, 3, 1) for part in (views.rgb, views.alpha, views.depth)
    )
    return Views(*parts)
