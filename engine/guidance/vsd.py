"""Variational score distillation: ProlificDreamer, arXiv 2305.16213, equation 9, with one particle.

| here | paper |
|---|---|
| guided(...).eps | eps_pretrain(x_t, t, y), with classifier-free guidance |
| own.eps, with the adapter active | eps_phi(x_t, t, c, y), a LoRA of the same network |
| denoising_loss | equation 8, on the present renders |

A new adapter changes nothing, so that the first gradient is w (s - 1) (eps_c - eps_u). An adapter that knows
the one particle perfectly says eps_phi = eps, and this is SDS. The camera c reaches the adapter as it reaches
the prior: as a camera where the prior takes one, else by the prompt's view words. ``adapter_start`` says how
the adapter begins (ADAPTER_STARTS): the authors' rate, 0.0001, is for "normal"; the gentler "uniform" is what
our own rates were tried with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

from engine.core.fields import Range, check_fields
from engine.core.noise_schedule import noise_like, time_weight
from engine.guidance.base import GuidanceOut, denoising_loss, out_of
from engine.guidance.cost import Cost
from engine.guidance.marks import AdapterStart, GuidanceScale, TimeWeight
from engine.lazy import torch
from engine.prior.abilities import check_takes_adapters
from engine.prior.base import Prior, PriorInfo, Prompts, guided
from engine.prior.perp_neg import repelled

if TYPE_CHECKING:
    from torch import Tensor

    from engine.prior.trainable_lora import Adapter

RANK = 4


@dataclass(frozen=True)
class Vsd:
    """Three forward passes a step, and one forward and one backward pass for each step of the adapter."""

    title: ClassVar[str] = "VSD"
    sentence: ClassVar[str] = (
        "Teaches a copy of the prior how the shape looks and pushes away from that. Slow, rich in detail."
    )

    guidance_scale: GuidanceScale = 7.5
    prior_learning_rate: Annotated[
        float,
        Range(
            0,
            0.1,
            0.00001,
            label="Prior learning rate",
            help="How fast the copy of the prior learns the shape.",
        ),
    ] = 0.001
    prior_steps: Annotated[
        int,
        Range(
            1, 10, 1, label="Prior steps", advanced=True, help="Steps of the copy for each step of the shape."
        ),
    ] = 1
    adapter_start: AdapterStart = "uniform"
    weighting: TimeWeight = "sds"

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def cost(self) -> Cost:
        return Cost(3, learning=self.prior_steps)

    def check(self, info: PriorInfo) -> None:
        """Raises InputError for priors without a network."""
        check_takes_adapters(info)

    def init(self, prior: Prior, prompts: Prompts, rng: torch.Generator) -> Adapter:
        """An adapter that changes nothing yet. Raises InputError for priors without a network."""
        from engine.prior.trainable_lora import adapter_on  # imports torch

        return adapter_on(prior, RANK, rng, start=self.adapter_start)

    def loss(
        self, x: Tensor, t: Tensor, prompts: Prompts, prior: Prior, state: Adapter, rng: torch.Generator
    ) -> GuidanceOut:
        """VSD loss for renders ``x`` (B,C,h,w) at times ``t`` (B,); ``side_loss`` is the adapter's denoising
        loss.
        """
        eps = noise_like(x, rng)
        with torch.no_grad():
            x_t = prior.schedule.add_noise(x, eps, t)
            unconditional, conditional = (
                prior.predict(x_t, t, condition) for condition in (prompts.unconditional, prompts.positive)
            )
            steered = repelled(prior, x_t, t, prompts, unconditional, conditional)
            wanted = guided(unconditional, steered, self.guidance_scale)
            with state.active():
                own = prior.predict(x_t, t, prompts.positive)
            gradient = time_weight(prior.schedule, t, self.weighting, x) * (wanted.eps - own.eps)
        return out_of(x, gradient, wanted.x0, partial(_side_loss, x.detach(), prompts, prior, state, rng))


def _side_loss(x: Tensor, prompts: Prompts, prior: Prior, state: Adapter, rng: torch.Generator) -> Tensor:
    with state.active():
        return denoising_loss(x, prompts.positive, prior, rng)


METHOD = Vsd
