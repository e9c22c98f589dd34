"""A wide canvas, or a panorama that closes on itself, seen through overlapping windows (MultiDiffusion, arXiv
2302.08113).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from engine.errors import InputError


@dataclass(frozen=True)
class Windows:
    """A canvas of ``height`` x ``width`` in the prior's own cells, seen by squares of ``side`` that stand
    ``stride`` apart.

    With ``closed`` the right border goes on at the left: a panorama of 360 degrees. Raises InputError for a
    canvas that is smaller than a window, or that windows so far apart leave gaps in.
    """

    height: int
    width: int
    side: int
    stride: int
    closed: bool = False

    def __post_init__(self) -> None:
        if min(self.height, self.width) < self.side:
            what = f"The canvas is {self.height} x {self.width}, smaller than a window of {self.side}."
            raise InputError(what, "Make it at least as large.")
        if not 1 <= self.stride <= self.side:
            raise InputError(
                f"stride is {self.stride}; it must be 1 to {self.side}.", "Windows must touch each other."
            )

    @cached_property
    def corners(self) -> tuple[tuple[int, int], ...]:
        """The upper left corner (row, column) of each window; the last ones end where the canvas does."""
        columns = (
            range(0, self.width, self.stride) if self.closed else _starts(self.width, self.side, self.stride)
        )
        return tuple((top, left) for top in _starts(self.height, self.side, self.stride) for left in columns)

    @property
    def count(self) -> int:
        return len(self.corners)

    def shape(self, channels: int) -> tuple[int, ...]:
        return channels, self.height, self.width

    @cached_property
    def places(self) -> Tensor:
        """The flat index (N,h*w) on the canvas of every pixel of every window."""
        rows, columns = torch.meshgrid(torch.arange(self.side), torch.arange(self.side), indexing="ij")
        return torch.stack(
            [
                ((top + rows) * self.width + (left + columns) % self.width).flatten()
                for top, left in self.corners
            ]
        )

    @cached_property
    def weights(self) -> Tensor:
        """How many windows see each place, (height*width)."""
        return torch.bincount(self.places.flatten(), minlength=self.height * self.width).to(torch.float32)

    def project(self, z: Tensor) -> tuple[Tensor, Tensor]:
        instances = z.flatten(1)[:, self.places.to(z.device)].transpose(0, 1)
        instances = instances.reshape(self.count, len(z), self.side, self.side)
        return instances, torch.ones_like(instances[:, :1])

    def unproject(self, instances: Tensor) -> Tensor:
        places = self.places.to(instances.device).flatten()
        values = instances.transpose(0, 1).reshape(instances.shape[1], -1)
        z = values.new_zeros(instances.shape[1], self.height * self.width).index_add_(1, places, values)
        return (z / self.weights.to(z)).view(-1, self.height, self.width)


def _starts(length: int, side: int, stride: int) -> list[int]:
    return sorted({*range(0, length - side + 1, stride), length - side})
