"""Which noise levels a run looks at, and when.

High times shape the whole, low times the detail. ``progress`` runs from 0 to 1 over a stage; times are
integers 0..T-1.

| policy | times | source |
|---|---|---|
| uniform | evenly from t_min..t_max | DreamFusion, arXiv 2209.14988 |
| anneal | a straight line from t_max down to t_min | SDI, arXiv 2405.15891 |
| funnel | evenly; the floor falls from t_max to t_min, the ceiling to their middle | MVDream, 2308.16512 |
| hifa | a square root from t_max down to t_min | HiFA, arXiv 2305.18766 |
| dreamtime | down from t_max, slowest where a fixed weight is largest | DreamTime, arXiv 2306.12422, alg. 1 |
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np

from engine.core.fields import Choice, Range, check_fields
from engine.core.noise_schedule import NoiseSchedule
from engine.errors import InputError
from engine.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

POLICIES = ("uniform", "anneal", "funnel", "hifa", "dreamtime")


@dataclass(frozen=True)
class Timesteps:
    """A policy and its range, as fractions of the noise schedule."""

    timestep_policy: Annotated[
        str,
        Choice(
            POLICIES,
            label="Noise over time",
            advanced=True,
            help="How the noise level moves from rough to fine while a run goes.",
        ),
    ] = "anneal"
    t_min: Annotated[
        float, Range(0, 1, 0.01, label="Least noise", help="The finest noise level that is looked at.")
    ] = 0.25
    t_max: Annotated[
        float, Range(0, 1, 0.01, label="Most noise", help="The roughest noise level that is looked at.")
    ] = 0.95
    t_jitter: Annotated[
        float,
        Range(
            0,
            0.5,
            0.01,
            label="Noise jitter",
            advanced=True,
            help="Random spread around anneal, hifa and dreamtime, either way.",
        ),
    ] = 0.05
    anneal_until: Annotated[
        float,
        Range(
            0.05,
            1,
            0.05,
            label="Annealed by",
            advanced=True,
            help="Share of the stage after which the noise level has come down.",
        ),
    ] = 1.0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.t_min > self.t_max:
            raise InputError(
                f"Timesteps.t_min is {self.t_min:g}, above t_max, which is {self.t_max:g}.",
                "Give a lower t_min.",
            )

    def t_range_at(self, progress: float, steps: int = 1000) -> tuple[int, int]:
        """The lowest and highest time (both included) at ``progress`` 0..1, for a schedule of ``steps``
        times.
        """
        done = min(max(progress / self.anneal_until, 0.0), 1.0)
        low, high = _index(self.t_min, steps), _index(self.t_max, steps)
        if self.timestep_policy == "uniform":
            return low, high
        if self.timestep_policy == "funnel":
            middle = (self.t_min + self.t_max) / 2
            return _index(_towards(self.t_max, self.t_min, done), steps), _index(
                _towards(self.t_max, middle, done), steps
            )
        centre, spread = self._centre(done, steps), round(self.t_jitter * steps)
        return max(0, centre - spread), min(steps - 1, centre + spread)

    def draw(
        self, progress: float, batch: int, schedule: NoiseSchedule, rng: torch.Generator, shared: bool = False
    ) -> Tensor:
        """Random times (``batch``,), int64, on the generator's device; one for all if ``shared`` (joint
        multi-view priors).
        """
        low, high = self.t_range_at(progress, len(schedule))
        t = torch.randint(low, high + 1, (1 if shared else batch,), generator=rng, device=rng.device)
        return t.expand(batch).clone()

    def _centre(self, done: float, steps: int) -> int:
        if self.timestep_policy == "dreamtime":
            return _dreamtime(_index(self.t_min, steps), _index(self.t_max, steps), steps, done)
        travelled = math.sqrt(done) if self.timestep_policy == "hifa" else done
        return _index((self.t_max - self.t_min) * (1 - travelled) + self.t_min, steps)


def _towards(start: float, end: float, share: float) -> float:
    return start + (end - start) * share


def _index(fraction: float, steps: int) -> int:
    """Truncated, as the references do, so that their printed tables come out."""
    return min(steps - 1, int(fraction * steps))


def _dreamtime(low: int, high: int, steps: int, done: float) -> int:
    """argmin_t |sum_{k >= t} p(k) - done|, where p is the weight below, normalised over low..high-1."""
    t = np.arange(low, max(high, low + 1))
    weight = _dreamtime_weight(t * (1000 / steps))
    share_above = weight[::-1].cumsum()[::-1] / weight.sum()
    return int(t[np.abs(share_above - done).argmin()])


def _dreamtime_weight(t: np.ndarray) -> np.ndarray:
    """W(t) of the paper with m1 = 800, m2 = 500, s1 = 300, s2 = 100: 1 between m2 and m1, Gaussian slopes
    outside.
    """
    above, below = np.maximum(t - 800, 0) / 300, np.maximum(500 - t, 0) / 100
    return np.exp(-(above**2 + below**2) / 2)
