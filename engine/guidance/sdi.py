"""Score distillation via inversion: SDI, arXiv 2405.15891.

The noise is not drawn but found: DDIM inversion of the render, with guidance turned round so that the path
leads back to where guided denoising would come from. Then the render is pulled to the guided clean picture.

| here | paper |
|---|---|
| x - x0 | sigma(t) / alpha(t) (eps_guided - kappa), with kappa the noise that inversion implies |
| inversion_guidance_scale | gamma_inv |
| inversion_noise | eta: share of DDPM's noise that each step of the inversion adds |

The paper lets t fall over the run: the timestep policy "anneal". The path here is ``inversion_steps`` even
steps that end at t, so that its cost is known; the authors' code goes in strides of T / 10 whatever t is, and
lets the last one overshoot by a random part of a stride, so that low noise levels get fewer steps there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from engine.core.fields import Range, check_fields
from engine.guidance.base import GuidanceOut, out_of
from engine.guidance.cost import Cost, guided_passes
from engine.guidance.marks import GuidanceScale
from engine.lazy import torch
from engine.prior.base import Prior, PriorInfo, Prompts
from engine.prior.inversion import even_times, invert
from engine.prior.sampling import predict_guided

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Sdi:
    """Gradient x - x0_guided(x_t, t), x_t from inversion. Two forward passes a step, and two for each
    inversion step.
    """

    title: ClassVar[str] = "SDI"
    sentence: ClassVar[str] = (
        "Finds the noise that leads to each view instead of drawing it. Detailed and steady, but slow."
    )

    guidance_scale: GuidanceScale = 7.5
    inversion_guidance_scale: Annotated[
        float,
        Range(
            -20,
            20,
            0.1,
            label="Inversion guidance",
            advanced=True,
            help="Guidance while the noise is found; below 0 it leads away.",
        ),
    ] = -7.5
    inversion_steps: Annotated[
        int,
        Range(
            1,
            100,
            1,
            label="Inversion steps",
            advanced=True,
            help="Steps from the render up to the noise level: more are truer and slower.",
        ),
    ] = 10
    inversion_noise: Annotated[
        float,
        Range(
            0,
            1,
            0.05,
            label="Inversion noise",
            advanced=True,
            help="Chance added to the noise that is found. 0 adds none.",
        ),
    ] = 0.3

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def cost(self) -> Cost:
        """A guided prediction at t, and one for each inversion step."""
        inverting = self.inversion_steps * guided_passes(self.inversion_guidance_scale)
        return Cost(guided_passes(self.guidance_scale) + inverting)

    def check(self, info: PriorInfo) -> None:
        """Works with every prior."""

    def init(self, prior: Prior, prompts: Prompts, rng: torch.Generator) -> None:
        return None

    def loss(
        self, x: Tensor, t: Tensor, prompts: Prompts, prior: Prior, state: None, rng: torch.Generator
    ) -> GuidanceOut:
        """SDI loss for renders ``x`` (B,C,h,w) at times ``t`` (B,)."""
        with torch.no_grad():
            times = even_times(t, self.inversion_steps)
            x_t = invert(prior, prompts, x, times, self.inversion_guidance_scale, self.inversion_noise, rng)
            prediction = predict_guided(prior, x_t, t, prompts, self.guidance_scale)
        return out_of(x, x.detach() - prediction.x0, prediction.x0)


METHOD = Sdi
