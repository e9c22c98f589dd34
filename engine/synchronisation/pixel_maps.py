"""One picture that shows something else when it is turned, flipped or rearranged (Visual Anagrams, arXiv
2311.17919).

Every instance sees the picture through a permutation of its pixels, perhaps with the sign changed: orthogonal
maps, which leave unit noise unit noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.errors import InputError

PATCHES = 4  # a side, of the rearranged picture


@dataclass(frozen=True, eq=False)
class PixelMap:
    """``places`` (side*side): which pixel of the picture each pixel of the instance shows; ``sign`` is 1 or
    -1.
    """

    places: Tensor
    sign: float = 1.0


@dataclass(frozen=True, eq=False)
class PixelMaps:
    """A picture of ``side`` x ``side`` under several `PixelMap`s."""

    side: int
    maps: tuple[PixelMap, ...]

    @staticmethod
    def named(names: Sequence[str], side: int) -> PixelMaps:
        """By name (`NAMES`). Raises InputError for one that is unknown."""
        for name in names:
            if name not in NAMES:
                raise InputError(f"There is no view {name!r}.", f"Choose from {', '.join(NAMES)}.")
        grid = torch.arange(side * side).view(side, side)
        made = [NAMES[name](grid) for name in names]
        return PixelMaps(side, tuple(PixelMap(places.flatten(), -1.0 if name == "negative" else 1.0)
                                     for name, places in zip(names, made)))  # fmt: skip

    @property
    def count(self) -> int:
        return len(self.maps)

    def shape(self, channels: int) -> tuple[int, ...]:
        return channels, self.side, self.side

    def project(self, z: Tensor) -> tuple[Tensor, Tensor]:
        flat = z.flatten(1)
        instances = torch.stack([each.sign * flat[:, each.places.to(z.device)] for each in self.maps])
        instances = instances.view(self.count, len(z), self.side, self.side)
        return instances, torch.ones_like(instances[:, :1])

    def unproject(self, instances: Tensor) -> Tensor:
        back = [each.sign * instance.flatten(1)[:, each.places.to(instance.device).argsort()]
                for each, instance in zip(self.maps, instances, strict=True)]  # fmt: skip
        return torch.stack(back).mean(0).view(-1, self.side, self.side)


def _patches(grid: Tensor) -> Tensor:
    """Squares of the picture in another order, always the same one."""
    side = len(grid)
    if side % PATCHES:
        raise InputError(
            f"A picture of {side} pixels does not fall into {PATCHES} x {PATCHES} patches.",
            "Choose another view.",
        )
    size = side // PATCHES
    order = torch.randperm(PATCHES * PATCHES, generator=torch.Generator().manual_seed(7))
    parts = grid.view(PATCHES, size, PATCHES, size).permute(0, 2, 1, 3).reshape(-1, size, size)[order]
    return parts.view(PATCHES, PATCHES, size, size).permute(0, 2, 1, 3).reshape(side, side)


NAMES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "upright": lambda grid: grid,
    "upside-down": lambda grid: grid.flip(0, 1),
    "quarter-turn": lambda grid: grid.rot90(),
    "mirror": lambda grid: grid.flip(1),
    "patches": _patches,
    "negative": lambda grid: grid,
}
"""Views by name; ``negative`` shows the picture with its colours reversed."""
