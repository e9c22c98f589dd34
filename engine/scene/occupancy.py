"""A coarse grid over the cube [-1,1]^3 that remembers which parts of a field are empty, so that renderers can
leap over them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

RESOLUTION = 32
DECAY = 0.95
THRESHOLD = 0.01  # in units of alpha per step
FARTHEST = 8  # cells; distances are not told apart beyond it


@dataclass(frozen=True, eq=False)
class Occupancy:
    """Which cells of a G^3 grid hold matter.

    ``values`` (G,G,G) is a decaying maximum of density x step. ``distance`` (G,G,G) uint8 is the number of
    cells, diagonals included, to the nearest occupied one, at most ``FARTHEST``; it is 0 in an occupied cell.
    """

    values: Tensor
    distance: Tensor

    def contains(self, points: Tensor) -> Tensor:
        """Whether points (...,3) in the cube lie in an occupied cell (...)."""
        size = len(self.distance)
        i, j, k = ((points + 1) * (size / 2)).long().clamp(0, size - 1).unbind(-1)
        return self.distance[i, j, k] == 0

    def to(self, device: torch.device | str) -> Occupancy:
        """The same on another device."""
        return Occupancy(self.values.to(device), self.distance.to(device))


def occupancy_from(values: Tensor) -> Occupancy:
    """Cells whose value exceeds min(mean, THRESHOLD) are occupied (arXiv 2305.04966); distances grow from
    them cell by cell.
    """
    # so that cells whose value is not a number do not vanish
    occupied = ~(values <= values.mean().clamp(max=THRESHOLD))
    distance = torch.zeros_like(values, dtype=torch.uint8)
    for _ in range(FARTHEST):
        distance += ~occupied
        for axis in range(3):
            low, high = _neighbours(occupied, axis)
            occupied = occupied.clone()
            for grown, other in zip(_neighbours(occupied, axis), (high, low)):
                grown |= other
    return Occupancy(values, distance)


def decayed_maximum(values: Tensor, earlier: Occupancy | None) -> Tensor:
    """``values`` or what remains of the earlier ones, where that is more."""
    return values if earlier is None else torch.maximum(DECAY * earlier.values, values)


def largest_in_cells(nodes: Tensor, resolution: int = RESOLUTION) -> Tensor:
    """Bounds (G,G,G) of trilinear interpolation of ``nodes`` (R,R,R): the largest node of all voxels that
    meet a cell.
    """
    largest = nodes
    for axis in range(3):
        largest = torch.maximum(*_neighbours(largest, axis))
    return F.adaptive_max_pool3d(largest[None, None], resolution)[0, 0]


def _neighbours(grid: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Two views of ``grid`` that pair each cell with the next one on an axis."""
    return grid.narrow(axis, 0, grid.shape[axis] - 1), grid.narrow(axis, 1, grid.shape[axis] - 1)
