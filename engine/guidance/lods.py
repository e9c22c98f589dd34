"""Learn to optimise denoising scores: LODS, arXiv 2312.04820, with a learned null embedding.

SDS needs far more guidance than a diffusion model was trained with. LODS divides SDS by its scale s and lets
the null prompt learn what the scene looks like now, so that a large s pushes from there towards the prompt:

    gradient = w(t) (eps_c + ((1 - s) / s) eps_null - eps / s)

| here | paper |
|---|---|
| conditional.eps, null.eps | the score of the prompt, and of the learnable embedding |
| guidance_scale | s, the initial guidance weight |

The rate at which the embedding learns is in its own units, which are near 1 in Stable Diffusion and in toybox
alike. What counts is how far it may travel in a run: the published settings come to a rate times steps of
about a quarter (25,000 steps of 1e-5, 2,500 of 1e-4), so short runs want a higher rate and long ones a lower.

While the embedding is the empty prompt's, this is SDS / s exactly; once it explains the scene, eps_null
approaches eps and this is SDS without guidance, which seeks the mean: the asset turns pale.
``null_convergence`` tells how far that has gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

from engine.core.fields import Range, Switch, check_fields
from engine.core.noise_schedule import noise_like, time_weight
from engine.errors import InputError
from engine.guidance.base import GuidanceOut, denoising_loss, out_of
from engine.guidance.cost import COMPARE_STEPS, Cost
from engine.guidance.marks import InitialGuidance, TimeWeight
from engine.lazy import torch
from engine.prior.base import Prior, PriorInfo, Prompts
from engine.prior.perp_neg import repelled

if TYPE_CHECKING:
    from torch import Tensor

    from engine.guidance.learned.null_branch import NullEmbedding


@dataclass(frozen=True)
class Lods:
    """Two forward passes a step, and one forward and one backward pass for each step of the embedding."""

    title: ClassVar[str] = "LODS"
    sentence: ClassVar[str] = "Learns what the shape looks like now and pushes from there to the prompt."

    guidance_scale: InitialGuidance = 100.0
    prior_learning_rate: Annotated[
        float,
        Range(
            0,
            0.1,
            0.00001,
            label="Prior learning rate",
            help="How fast the null prompt learns. Too fast: the shape turns pale.",
        ),
    ] = 0.001
    prior_steps: Annotated[
        int,
        Range(
            1,
            10,
            1,
            label="Prior steps",
            advanced=True,
            help="Steps of the null prompt for each step of the shape.",
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
            help="The null prompt begins anew after so many steps. 0: never.",
        ),
    ] = 0
    null_per_side: Annotated[
        bool,
        Switch(
            label="Null prompt per side",
            advanced=True,
            help="Learns each side apart, where the prior takes a prompt for each view.",
        ),
    ] = False
    weighting: TimeWeight = "sds"

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def cost(self) -> Cost:
        """The read-out asks the plain null prompt once in ten steps."""
        return Cost(2 + 1 / COMPARE_STEPS, learning=self.prior_steps)

    def check(self, info: PriorInfo) -> None:
        """Raises InputError where a null prompt for each side is asked of a prior that gives all views one
        prompt.
        """
        if self.null_per_side and info.joint_views:
            raise InputError(
                f"null_per_side is on, and the prior {info.id!r} gives all views of an object one prompt.",
                "Switch it off, or choose a prior that makes one view at a time, such as "
                "stable-diffusion-1.5.",
            )

    def init(self, prior: Prior, prompts: Prompts, rng: torch.Generator) -> NullEmbedding:
        """The embedding begins as the negative prompt's, or the empty one's."""
        from engine.guidance.learned.null_branch import NullEmbedding  # imports torch

        return NullEmbedding(prompts.unconditional.text, one_prompt=prior.info.joint_views)

    def loss(
        self, x: Tensor, t: Tensor, prompts: Prompts, prior: Prior, state: NullEmbedding, rng: torch.Generator
    ) -> GuidanceOut:
        """Equation above for renders ``x`` (B,C,h,w) at times ``t`` (B,); ``side_loss`` is the embedding's
        denoising loss.
        """
        state.begin_step(self.reset_steps)
        eps = noise_like(x, rng)
        with torch.no_grad():
            x_t = prior.schedule.add_noise(x, eps, t)
            conditional = prior.predict(x_t, t, prompts.positive)
            null = prior.predict(x_t, t, state.conditioned(prompts.unconditional, self.null_per_side))
            conditional = repelled(prior, x_t, t, prompts, null, conditional)
            score = normalised(conditional.eps, null.eps, eps, self.guidance_scale)
            gradient = time_weight(prior.schedule, t, self.weighting, x) * score
            if state.read_out.asks_plain:
                state.read_out.compare(null.eps - eps, prior.predict(x_t, t, prompts.unconditional).eps - eps)
        side_loss = partial(self._side_loss, x.detach(), prompts, prior, state, rng)
        return out_of(x, gradient, conditional.x0, side_loss, {"null_convergence": state.read_out.value()})

    def _side_loss(
        self, x: Tensor, prompts: Prompts, prior: Prior, state: NullEmbedding, rng: torch.Generator
    ) -> Tensor:
        return denoising_loss(x, state.conditioned(prompts.unconditional, self.null_per_side), prior, rng)


def normalised(conditional: Tensor, null: Tensor, eps: Tensor, guidance_scale: float) -> Tensor:
    """The bracket of the equation above; with the plain null prompt it is SDS's, divided by its scale."""
    return conditional + (1 / guidance_scale - 1) * null - eps / guidance_scale


METHOD = Lods
