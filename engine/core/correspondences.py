"""Which places of several views show the same point of a surface (MVDiffusion, arXiv 2307.01097, section
4.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.cameras import Cameras
from engine.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

NEIGHBOURS = 4
SLACK = 0.08
"""How far apart, in units of the world, two pixels' points may lie and still be one place: two pixels of 64
at arm's length.
"""


@dataclass(frozen=True, eq=False)
class Correspondences:
    """For each cell of V views of R x R cells, where O other views show its point.

    ``others`` (V,O) are those views, ``places`` (V,O,R*R,2) lie in -1..1 as `grid_sample` reads them, and
    ``visible`` (V,O,R*R) is False where the cell shows nothing, or the other view does not show its point.
    """

    others: Tensor
    places: Tensor
    visible: Tensor

    @property
    def side(self) -> int:
        """R."""
        return int(self.places.shape[2] ** 0.5)

    def to(self, device: torch.device | str) -> Correspondences:
        """The same on another device."""
        return Correspondences(*(part.to(device) for part in (self.others, self.places, self.visible)))


def correspondences(
    points: Tensor, mask: Tensor, cameras: Cameras, side: int, neighbours: int = NEIGHBOURS
) -> Correspondences:
    """Of views whose pixels show ``points`` (V,S,S,3) of the world where ``mask`` (V,S,S); S is a multiple of
    ``side``.

    Each view looks at the ``neighbours`` whose cameras are nearest to its own, or at all where there are
    fewer.
    """
    cells, solid = _cells(points, side), _cells(mask[..., None], side)[..., 0] > 0.5
    others = _nearest(cameras, min(neighbours, len(cameras) - 1))
    c2w, K = cameras.c2w.to(points)[others], cameras.K.to(points)[others]
    local = torch.einsum("vopi,voij->vopj", cells[:, None] - c2w[..., None, :3, 3], c2w[..., :3, :3])
    pixels = torch.einsum("voij,vopj->vopi", K, local)[..., :2] / local[..., 2:].clamp(min=1e-6)
    places = 2 * pixels / cameras.width - 1
    shown, there = (
        _looked_up(points, places, others),
        _looked_up(mask[..., None].to(points), places, others)[..., 0],
    )
    near = (shown - cells[:, None]).norm(dim=-1) < SLACK
    inside = (places.abs() < 1).all(-1) & (local[..., 2] > 0)
    return Correspondences(others, places, solid[:, None] & near & inside & (there > 0.5))


def _cells(pictures: Tensor, side: int) -> Tensor:
    """One pixel of each cell (V,R*R,C): the one behind its centre."""
    step = pictures.shape[1] // side
    return pictures[:, step // 2 :: step, step // 2 :: step].flatten(1, 2)


def _nearest(cameras: Cameras, count: int) -> Tensor:
    """The nearest other cameras of each (V,O)."""
    apart = torch.cdist(cameras.positions, cameras.positions)
    apart.fill_diagonal_(float("inf"))
    return apart.topk(count, largest=False).indices


def _looked_up(pictures: Tensor, places: Tensor, others: Tensor) -> Tensor:
    """What the other views show at the pixels where places fall (V,O,R*R,C)."""
    side = pictures.shape[1]
    column, row = ((places + 1) / 2 * side).long().clamp(0, side - 1).unbind(-1)
    return pictures[others[..., None], row, column]
