"""Noise-free score distillation: NFSD, arXiv 2310.17590.

The prediction is read as three parts, domain + denoising + prompt, and the denoising part is left out. Where
little noise was added it is negligible; where much was, what remains of the domain part is told by what a
negative prompt would do.

| here | paper |
|---|---|
| prompt_part | delta_C = eps_c - eps_empty |
| domain_part | delta_D: eps_empty below ``clean_until`` (t < 200 of 1000), eps_empty - eps_negative above |
| guidance_scale | s |

The paper's negative prompt names bad pictures ("unrealistic, blurry, low quality" and the like). Without a
negative prompt the domain part is nothing above ``clean_until``, and what remains there is CSD.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from engine.core.fields import Range, check_fields
from engine.core.noise_schedule import noise_like, time_weight
from engine.guidance.base import GuidanceOut, out_of
from engine.guidance.cost import Cost
from engine.guidance.marks import TimeWeight
from engine.lazy import torch
from engine.prior.base import Prediction, Prior, PriorInfo, Prompts, guided
from engine.prior.perp_neg import repelled

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Nfsd:
    """Gradient w(t) (delta_D + s delta_C). Two forward passes a step, three where a negative prompt takes
    part.
    """

    title: ClassVar[str] = "NFSD"
    sentence: ClassVar[str] = (
        "Leaves the added noise out of the push, so gentle guidance is enough. Give a negative prompt."
    )

    guidance_scale: Annotated[
        float, Range(1, 100, 0.1, label="Guidance", help="How hard the prompt pulls.")
    ] = 7.5
    clean_until: Annotated[
        float,
        Range(
            0,
            1,
            0.01,
            label="Clean until",
            advanced=True,
            help="Noise levels below this share pull to the prior's clean picture.",
        ),
    ] = 0.2
    weighting: TimeWeight = "sds"

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def cost(self) -> Cost:
        """Three passes where a negative prompt takes part."""
        return Cost(2, up_to=3)

    def check(self, info: PriorInfo) -> None:
        """Works with every prior."""

    def init(self, prior: Prior, prompts: Prompts, rng: torch.Generator) -> None:
        return None

    def loss(
        self, x: Tensor, t: Tensor, prompts: Prompts, prior: Prior, state: None, rng: torch.Generator
    ) -> GuidanceOut:
        """NFSD loss for renders ``x`` (B,C,h,w) at times ``t`` (B,)."""
        with torch.no_grad():
            x_t = prior.schedule.add_noise(x, noise_like(x, rng), t)
            empty, conditional = (
                prior.predict(x_t, t, condition) for condition in (prompts.empty, prompts.positive)
            )
            conditional = repelled(prior, x_t, t, prompts, empty, conditional)
            prompt_part = conditional.eps - empty.eps
            gradient = self.domain_part(x_t, t, empty, prompts, prior) + self.guidance_scale * prompt_part
            gradient = time_weight(prior.schedule, t, self.weighting, x) * gradient
        return out_of(x, gradient, guided(empty, conditional, self.guidance_scale).x0)

    def domain_part(
        self, x_t: Tensor, t: Tensor, empty: Prediction, prompts: Prompts, prior: Prior
    ) -> Tensor:
        """delta_D (B,C,h,w); the negative prompt is asked only if a view needs it."""
        clean = (t < self.clean_until * len(prior.schedule)).view(-1, 1, 1, 1)
        if prompts.negative is None:
            away = torch.zeros_like(empty.eps)
        elif clean.all():
            return empty.eps
        else:
            away = empty.eps - prior.predict(x_t, t, prompts.negative).eps
        return torch.where(clean, empty.eps, away)


METHOD = Nfsd
