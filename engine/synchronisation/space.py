"""What a canonical space is: one tensor that all share, seen by each instance through its projection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from engine.core.noise_schedule import NoiseSchedule
from engine.prior.base import Condition, Prediction, Prior, PriorInfo


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
        """The weighted mean of what the instances (N,C,h,w) say of each place of z; places that none sees are
        filled.
        """
        ...


def initial_noise(
    space: CanonicalSpace, channels: int, rng: torch.Generator, *, consistent: bool = True
) -> tuple[Tensor, Tensor]:
    """Unit noise: canonical (C,...) and of the instances (N,C,h,w), which see the canonical one where
    ``consistent``.

    Where several pixels see one place their noise is the same, as it must be; what an instance sees of
    nothing is noise of its own. Projections that interpolate (`space.project`) lose variance; spaces whose
    noise must keep it look up the nearest place.
    """
    z = torch.randn(space.shape(channels), generator=rng)
    looked_up = getattr(space, "project_nearest", space.project)
    noise, mask = looked_up(z)
    own = torch.randn(noise.shape, generator=rng)
    return z, torch.where(mask > 0.5, noise, own) if consistent else own


@dataclass(frozen=True, eq=False)
class Separate:
    """``prior`` for N instances, each with its own prompt and camera; what else belongs to them stays with
    all.
    """

    prior: Prior

    @property
    def info(self) -> PriorInfo:
        return self.prior.info

    @property
    def schedule(self) -> NoiseSchedule:
        return self.prior.schedule

    @property
    def device(self) -> torch.device:
        return self.prior.device

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        predictions = [
            self.prior.predict(x_t[i : i + 1], t[i : i + 1], _of(condition, i, len(x_t)))
            for i in range(len(x_t))
        ]
        return Prediction(
            torch.cat([each.eps for each in predictions]), torch.cat([each.x0 for each in predictions])
        )


def _of(condition: Condition, i: int, count: int) -> Condition:
    text = condition.text
    text = text if len(text.tokens) == 1 else text.split(1)[i]
    cameras = condition.cameras
    return replace(condition, text=text, cameras=None if cameras is None else cameras[torch.tensor([i])])
