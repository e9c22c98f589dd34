"""Classifier score distillation: CSD, arXiv 2310.19415.

SDS is the sum (eps_empty - eps) + s (eps_c - eps_empty). CSD keeps the second part, which classifies, and
drops the first.

| here | paper |
|---|---|
| a, sig | alpha_t, sigma_t |
| conditional, anchor | eps_phi(x_t; y, t), eps_phi(x_t; t) or that of the negative prompt |
| negative_share | how far the anchor has moved to the negative prompt; the paper moves, then weakens it |
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
class Csd:
    """Gradient w(t) s (eps_c - eps_anchor). Two forward passes a step, three while two anchors are mixed."""

    title: ClassVar[str] = "CSD"
    sentence: ClassVar[str] = (
        "Makes each view look more like the prompt and less like anything else. Sharp; good for texture."
    )

    guidance_scale: Annotated[
        float,
        Range(
            1,
            100,
            0.1,
            label="Guidance",
            help="How hard the prompt pulls. There is no other force, so it only scales.",
        ),
    ] = 7.5
    negative_share: Annotated[
        float,
        Range(
            0,
            1,
            0.05,
            label="Negative share",
            advanced=True,
            help="What views are pushed from: 0 anything, 1 the negative prompt if given.",
        ),
    ] = 1.0
    weighting: TimeWeight = "sds"

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def cost(self) -> Cost:
        """Three passes while two anchors are mixed."""
        return Cost(2) if self.negative_share in (0, 1) else Cost(2, up_to=3)

    def check(self, info: PriorInfo) -> None:
        """Works with every prior."""

    def init(self, prior: Prior, prompts: Prompts, rng: torch.Generator) -> None:
        return None

    def loss(
        self, x: Tensor, t: Tensor, prompts: Prompts, prior: Prior, state: None, rng: torch.Generator
    ) -> GuidanceOut:
        """CSD loss for renders ``x`` (B,C,h,w) at times ``t`` (B,)."""
        with torch.no_grad():
            x_t = prior.schedule.add_noise(x, noise_like(x, rng), t)
            conditional, anchor = prior.predict(x_t, t, prompts.positive), self.anchor(x_t, t, prompts, prior)
            conditional = repelled(prior, x_t, t, prompts, anchor, conditional)
            gradient = self.guidance_scale * (conditional.eps - anchor.eps)
            gradient = time_weight(prior.schedule, t, self.weighting, x) * gradient
        return out_of(x, gradient, guided(anchor, conditional, self.guidance_scale).x0)

    def anchor(self, x_t: Tensor, t: Tensor, prompts: Prompts, prior: Prior) -> Prediction:
        """What the prompt is compared with: the empty prompt, the negative one, or a mixture of the two
        predictions.
        """
        if prompts.negative is None or self.negative_share == 0:
            return prior.predict(x_t, t, prompts.empty)
        negative = prior.predict(x_t, t, prompts.negative)
        if self.negative_share == 1:
            return negative
        return guided(prior.predict(x_t, t, prompts.empty), negative, self.negative_share)


METHOD = Csd
