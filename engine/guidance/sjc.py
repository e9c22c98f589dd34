"""Score Jacobian chaining: SJC, arXiv 2212.00774.

The paper scales noise up where others scale the picture down: z = x + spread eps with spread = sig / a, and z
a = x_t. Its denoiser D(z) = z - spread eps_guided is the clean picture x0, and the gradient is that of the
distance to it over the spread.

| here | paper |
|---|---|
| sig / a | sigma |
| variance_reduction | (x - D) / sigma = eps_guided - eps: SDS of weight 1 |
| without it | (z - D) / sigma = eps_guided: the same on average, with the added noise left in |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from engine.core.fields import Switch, check_fields
from engine.core.noise_schedule import noise_like
from engine.guidance.base import GuidanceOut, out_of
from engine.guidance.cost import Cost, guided_passes
from engine.guidance.marks import GuidanceScale
from engine.lazy import torch
from engine.prior.base import Prior, PriorInfo, Prompts
from engine.prior.sampling import predict_guided

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Sjc:
    """Gradient eps_guided - eps, or eps_guided without variance reduction. Two forward passes a step."""

    title: ClassVar[str] = "SJC"
    sentence: ClassVar[str] = (
        "SDS that counts every noise level alike, with or without the added noise taken out again."
    )

    guidance_scale: GuidanceScale = 7.5
    variance_reduction: Annotated[
        bool,
        Switch(
            label="Variance reduction",
            advanced=True,
            help="Takes the added noise out of the push: steadier steps.",
        ),
    ] = True

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def cost(self) -> Cost:
        return Cost(guided_passes(self.guidance_scale))

    def check(self, info: PriorInfo) -> None:
        """Works with every prior."""

    def init(self, prior: Prior, prompts: Prompts, rng: torch.Generator) -> None:
        return None

    def loss(
        self, x: Tensor, t: Tensor, prompts: Prompts, prior: Prior, state: None, rng: torch.Generator
    ) -> GuidanceOut:
        """SJC loss for renders ``x`` (B,C,h,w) at times ``t`` (B,)."""
        eps = noise_like(x, rng)
        with torch.no_grad():
            prediction = predict_guided(
                prior, prior.schedule.add_noise(x, eps, t), t, prompts, self.guidance_scale
            )
        return out_of(x, prediction.eps - eps if self.variance_reduction else prediction.eps, prediction.x0)


METHOD = Sjc
