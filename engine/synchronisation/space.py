"""What a canonical space is: one tensor that all share, seen by each instance through its projection."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class CanonicalSpace(Protocol):
    """N instances (N,C,h,w) of one canonical tensor z (C,...)."""

    @property
    def count(self) -> int:
        """N."""
        ...

    def shape(self, channels: int) -> tuple[int, ...]:
        """Of z with so many channels."""
        ...

    def project(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """What each instance sees of z, (N,C,h,w), and where it sees anything, (N,1,h,w) in 0..1."""
        ...

    def unproject(self, instances: Tensor) -> Tensor:
        """The weighted mean of what the instances (N,C,h,w) say of each place of z; places that none sees are filled."""
        ...


def initial_noise(
    space: CanonicalSpace, channels: int, rng: torch.Generator, *, consistent: bool = True
) -> tuple[Tensor, Tensor]:
    """Unit noise: canonical (C,...) and of the instances (N,C,h,w), which see the canonical one where ``consistent``.

    Where several pixels see one place their noise is the same, as it must be; what an instance sees of nothing is noise of its
    own. Projections that interpolate (`space.project`) lose variance; spaces whose noise must keep it look up the nearest place.
    """
    z = torch.randn(space.shape(channels), generator=rng)
    looked_up = getattr(space, "project_nearest", space.project)
    seen, mask = looked_up(z)
    own = torch.randn(seen.shape, generator=rng)
    return z, torch.where(mask > 0.5, seen, own) if consistent else own
