"""Pictures that zoom into each other: each shows the middle of the one before at twice the size (arXiv
2312.02149).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.errors import InputError

FACTOR = 2


@dataclass(frozen=True)
class ZoomStack:
    """``levels`` pictures of ``side`` cells, the widest first: z (C,levels,side,side), where only the deepest
    says all of itself.

    The middle of each other level is what the next one shows. Raises InputError for a side that has no even
    middle.
    """

    levels: int
    side: int

    def __post_init__(self) -> None:
        if self.levels < 2 or self.side % (2 * FACTOR):
            what = f"{self.levels} pictures of {self.side} cells do not zoom into each other."
            raise InputError(what, f"Give at least two, of a side that divides by {2 * FACTOR}.")

    @property
    def count(self) -> int:
        return self.levels

    def shape(self, channels: int) -> tuple[int, ...]:
        return channels, self.levels, self.side, self.side

    def project(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The levels, each with the next one in its middle."""
        return self._nested(z, 1.0)

    def project_nearest(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Of noise: the mean of four cells has half their deviation, which is given back."""
        return self._nested(z, float(FACTOR))

    def unproject(self, instances: Tensor) -> Tensor:
        """Two levels that show one place meet in the middle; the deeper one keeps its detail. A consistent
        stack stays.
        """
        levels = list(instances)
        for k in range(self.levels - 1):
            wide, deep = self._middle(levels[k]), smaller(levels[k + 1])
            met = 0.5 * (wide + deep)
            levels[k] = self._with_middle(levels[k], met)
            levels[k + 1] = levels[k + 1] + (met - deep).repeat_interleave(FACTOR, 1).repeat_interleave(
                FACTOR, 2
            )
        return torch.stack(levels, dim=1)

    def _nested(self, z: Tensor, gain: float) -> tuple[Tensor, Tensor]:
        levels = list(z.transpose(0, 1))
        for k in reversed(range(self.levels - 1)):
            levels[k] = self._with_middle(levels[k], gain * smaller(levels[k + 1]))
        stack = torch.stack(levels)
        return stack, torch.ones_like(stack[:, :1])

    def _edges(self) -> tuple[int, int]:
        size = self.side // FACTOR
        low = (self.side - size) // 2
        return low, low + size

    def _middle(self, level: Tensor) -> Tensor:
        low, high = self._edges()
        return level[:, low:high, low:high]

    def _with_middle(self, level: Tensor, middle: Tensor) -> Tensor:
        low, high = self._edges()
        changed = level.clone()
        changed[:, low:high, low:high] = middle
        return changed


def smaller(level: Tensor) -> Tensor:
    """A level (C,h,w) at half its size: the mean of each four cells."""
    return F.avg_pool2d(level[None], FACTOR)[0]
