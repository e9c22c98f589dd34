"""What a prior sees of a 3D reference: canonical coordinate maps (CCM), routed by noise level (Phidias, arXiv
2409.11406, 3.3).

A CCM shows, at each pixel, where on the reference the visible surface point lies: its canonical xyz, brought
from [-1,1] to [0,1], in place of colour. It carries geometry alone, so a red reference does not redden the
result.

Shapes: B objects, V views, S pixels a side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


Reading = Literal["progress", "noise_level"]

COARSE, MIDDLE, FINE = 16, 32, 64
"""Pixels a side that a map is reduced to."""

COARSE_UNTIL, MIDDLE_UNTIL = 0.05, 0.4
"""Where the resolution changes, as shares of the way."""


@dataclass(frozen=True, eq=False)
class ReferenceMaps:
    """A reference from each of V sides: ``ccm`` (B,V,3,S,S) 0..1, ``mask`` (B,V,1,S,S) 0..1, the CCM not
    premultiplied.
    """

    ccm: Tensor
    mask: Tensor

    def channels(self) -> Tensor:
        """As a toybox prior sees pictures, (B,V,4,S,S): 2 rgb - alpha and 2 alpha - 1 of the premultiplied
        map.
        """
        return torch.cat([2 * self.ccm * self.mask - self.mask, 2 * self.mask - 1], dim=2)

    def beside(self, others: ReferenceMaps) -> ReferenceMaps:
        """These sides, then the others of the same objects."""
        return ReferenceMaps(torch.cat([self.ccm, others.ccm], 1), torch.cat([self.mask, others.mask], 1))

    def to(self, device: torch.device | str) -> ReferenceMaps:
        """The same maps on another device."""
        return ReferenceMaps(self.ccm.to(device), self.mask.to(device))


def map_resolution(way: float) -> int:
    """Pixels a side at ``way`` 0..1: 16, then 32 from 0.05 on, then 64 from 0.4 on (appendix of the
    paper).
    """
    return COARSE if way < COARSE_UNTIL else MIDDLE if way < MIDDLE_UNTIL else FINE


def way_of(time: float, reading: Reading) -> float:
    """The number that routes at noise time ``time`` (1: all noise, 0: clean).

    The paper's thresholds are on a "noise level", but its text wants coarse maps where there is much noise;
    that agrees only if the level means how far denoising has come, which is ``progress``. ``noise_level``
    takes the sentence literally.
    """
    return 1 - time if reading == "progress" else time


def routed(maps: ReferenceMaps, times: Tensor, reading: Reading = "progress") -> ReferenceMaps:
    """Dynamic reference routing: each view's map (B,V) at the resolution for its noise time ``times`` (B,V),
    1 = all noise.

    A map is reduced and enlarged by nearest neighbour, so that a coarse one shows at most 16 x 16 different
    points.
    """
    side = maps.mask.shape[-1]
    picked = torch.cat([maps.ccm, maps.mask], 2)
    sizes = torch.tensor([[map_resolution(way_of(float(t), reading)) for t in row] for row in times.tolist()])
    for size in (COARSE, MIDDLE):
        rows = (sizes == size).to(picked.device)
        if size < side and rows.any():
            small = torch.nn.functional.interpolate(picked[rows], size=(size, size), mode="nearest-exact")
            picked[rows] = torch.nn.functional.interpolate(small, size=(side, side), mode="nearest-exact")
    return ReferenceMaps(picked[:, :, :3], picked[:, :, 3:])
