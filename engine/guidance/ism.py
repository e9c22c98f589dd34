"""Interval score matching: LucidDreamer, arXiv 2311.11284.

The noisy picture comes from DDIM inversion without a prompt instead of random noise, and two neighbouring
noise levels on its path are compared. So the push hardly depends on chance.

| here | paper |
|---|---|
| t, s | t, s = t - delta_T |
| interval | delta_T as a share of the schedule |
| stride | delta_S: length of the steps from the clean picture up to s |
| w(t) | sig / a ("denoise") in the authors' code |

The authors' code differs in two more points that are not offered here. It adds offset noise, 0.1 times one
number a channel, to the noise that the path starts with. And delta_T shrinks from 0.1 to 0.08 of the schedule
over the first 1500 steps (``annealing_intervals``); here ``interval`` is live, so that an artist may do the
same by hand.

A negative prompt takes the place of the empty one in the guided prediction at t, not on the path.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from engine.core.fields import Range, check_fields
from engine.core.noise_schedule import noise_like, time_weight
from engine.guidance.base import GuidanceOut, out_of
from engine.guidance.cost import Cost, guided_passes
from engine.guidance.marks import GuidanceScale, TimeWeight
from engine.lazy import torch
from engine.prior.base import Prior, PriorInfo, Prompts
from engine.prior.inversion import invert, inverted_noise, strided_times
from engine.prior.sampling import predict_guided

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Ism:
    """Gradient w(t) (eps_guided(x_t, t) - eps_empty(x_s, s)). Three forward passes a step, and one for each
    stride up to s.
    """

    title: ClassVar[str] = "ISM"
    sentence: ClassVar[str] = (
        "Compares two neighbouring noise levels of a picture, so chance matters little. Slower, sharper."
    )

    guidance_scale: GuidanceScale = 7.5
    interval: Annotated[
        float,
        Range(
            0.01,
            0.5,
            0.01,
            label="Interval",
            advanced=True,
            help="Distance of the two noise levels that are compared.",
        ),
    ] = 0.08
    stride: Annotated[
        float,
        Range(
            0.02,
            1,
            0.01,
            label="Inversion stride",
            advanced=True,
            help="Longest step on the way up to them: shorter is truer and slower.",
        ),
    ] = 0.2
    weighting: TimeWeight = "denoise"

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def cost(self) -> Cost:
        """One pass at s, a guided prediction at t, and one pass for each stride up to s."""
        least = 1 + guided_passes(self.guidance_scale)
        return Cost(least, up_to=least + math.ceil(round((1 - self.interval) / self.stride, 6)))

    def check(self, info: PriorInfo) -> None:
        """Works with every prior."""

    def init(self, prior: Prior, prompts: Prompts, rng: torch.Generator) -> None:
        return None

    def loss(
        self, x: Tensor, t: Tensor, prompts: Prompts, prior: Prior, state: None, rng: torch.Generator
    ) -> GuidanceOut:
        """ISM loss for renders ``x`` (B,C,h,w) at times ``t`` (B,)."""
        s = (t - max(1, prior.schedule.index(self.interval))).clamp(min=0)
        with torch.no_grad():
            times = strided_times(s, max(1, prior.schedule.index(self.stride)))
            start = prior.schedule.add_noise(x, noise_like(x, rng), times[0])
            x_s = invert(prior, Prompts(prompts.empty, prompts.empty), start, times, guidance_scale=1.0)
            below = prior.predict(x_s, s, prompts.empty)
            noise = inverted_noise(prior, below)
            x_t = prior.schedule.add_noise(below.x0, noise, t)
            above = predict_guided(prior, x_t, t, prompts, self.guidance_scale)
            gradient = time_weight(prior.schedule, t, self.weighting, x) * (above.eps - noise)
        return out_of(x, gradient, above.x0)


METHOD = Ism
