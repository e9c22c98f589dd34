"""LODS with a low-rank adapter (LoRA) on the null branch: arXiv 2312.04820, the second variant.

The equation is that of ``lods``; here the prompt of the null branch stays and the network learns, at half
strength (``SCALE``) where it is trained and where it is asked. It can explain more than an embedding can, and
so may explain too much. ``adapter_start`` says how the adapter begins (ADAPTER_STARTS); the authors' rates
are for "normal".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

from engine.core.fields import Range, check_fields
from engine.core.noise_schedule import noise_like, time_weight
from engine.guidance.base import GuidanceOut, denoising_loss, out_of
from engine.guidance.cost import COMPARE_STEPS, Cost
from engine.guidance.lods import normalised
from engine.guidance.marks import AdapterStart, InitialGuidance, TimeWeight
from engine.lazy import torch
from engine.prior.abilities import check_takes_adapters
from engine.prior.base import Prior, PriorInfo, Prompts
from engine.prior.perp_neg import repelled

if TYPE_CHECKING:
    from torch import Tensor

    from engine.guidance.learned.null_branch import NullAdapter

RANK, SCALE = 4, 0.5


@dataclass(frozen=True)
class LodsLora:
    """Two forward passes a step, and one forward and one backward pass for each step of the adapter."""

    title: ClassVar[str] = "LODS with LoRA"
    sentence: ClassVar[str] = "As LODS, but a copy of the prior learns the shape: finer, and sooner too much."

    guidance_scale: InitialGuidance = 100.0
    prior_learning_rate: Annotated[
        float,
        Range(
            0,
            0.1,
            0.00001,
            label="Prior learning rate",
            help="How fast the copy learns. Too fast: the shape turns pale.",
        ),
    ] = 0.0001
    prior_steps: Annotated[
        int,
        Range(
            1, 10, 1, label="Prior steps", advanced=True, help="Steps of the copy for each step of the shape."
        ),
    ] = 1
    reset_steps: Annotated[
        int,
        Range(
            0,
            5000,
            10,
            label="Forget every",
            unit="steps",
            advanced=True,
            help="The copy begins anew after so many steps. 0: never.",
        ),
    ] = 0
    adapter_start: AdapterStart = "uniform"
    weighting: TimeWeight = "sds"

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def cost(self) -> Cost:
        """The read-out asks the plain null prompt once in ten steps."""
        return Cost(2 + 1 / COMPARE_STEPS, learning=self.prior_steps)

    def check(self, info: PriorInfo) -> None:
        """Raises InputError for priors without a network."""
        check_takes_adapters(info)

    def init(self, prior: Prior, prompts: Prompts, rng: torch.Generator) -> NullAdapter:
        """An adapter that changes nothing yet. Raises InputError for priors without a network."""
        from engine.guidance.learned.null_branch import NullAdapter  # imports torch
        from engine.prior.trainable_lora import adapter_on

        return NullAdapter(adapter_on(prior, RANK, rng, SCALE, self.adapter_start), prior.device)

    def loss(
        self, x: Tensor, t: Tensor, prompts: Prompts, prior: Prior, state: NullAdapter, rng: torch.Generator
    ) -> GuidanceOut:
        """The loss of ``lods`` for renders ``x`` (B,C,h,w) at times ``t`` (B,)."""
        if state.read_out.begin_step(self.reset_steps):
            state.adapter.forget()
        eps = noise_like(x, rng)
        with torch.no_grad():
            x_t = prior.schedule.add_noise(x, eps, t)
            conditional = prior.predict(x_t, t, prompts.positive)
            with state.adapter.active():
                null = prior.predict(x_t, t, prompts.unconditional)
            conditional = repelled(prior, x_t, t, prompts, null, conditional)
            score = normalised(conditional.eps, null.eps, eps, self.guidance_scale)
            gradient = time_weight(prior.schedule, t, self.weighting, x) * score
            if state.read_out.asks_plain:
                state.read_out.compare(null.eps - eps, prior.predict(x_t, t, prompts.unconditional).eps - eps)
        side_loss = partial(_side_loss, x.detach(), prompts, prior, state, rng)
        return out_of(x, gradient, conditional.x0, side_loss, {"null_convergence": state.read_out.value()})


def _side_loss(x: Tensor, prompts: Prompts, prior: Prior, state: NullAdapter, rng: torch.Generator) -> Tensor:
    with state.adapter.active():
        return denoising_loss(x, prompts.unconditional, prior, rng)


METHOD = LodsLora
