"""Score distillation sampling: DreamFusion, arXiv 2209.14988, equation 3.

| here | paper |
|---|---|
| a, sig | alpha_t, sigma_t |
| guided(...).eps | eps_hat_phi(z_t; y, t), with classifier-free guidance |
| weight | w(t) |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Tensor

from engine.guidance.base import GuidanceOut
from engine.math.gradient import loss_from_gradient
from engine.math.knobs import Choice, Range, check_knobs
from engine.math.noise import time_weight
from engine.prior.base import Prior, Prompts, guided


@dataclass(frozen=True)
class Sds:
    """Gradient w(t) (eps_guided - eps): the guided prediction minus the noise that was added. Two forward passes a step."""

    title: ClassVar[str] = "SDS"
    sentence: ClassVar[str] = "Pushes each view towards what the prior would denoise it to. Simple and robust."

    guidance_scale: Annotated[float, Range(1, 100, 0.1, label="Guidance", help="How hard the prompt pulls. 1 switches guidance off.")] = 7.5
    weighting: Annotated[str, Choice(("sds", "uniform", "fantasia3d"), label="Time weight", advanced=True,
                                     help="How much noisy and clean times count: 1 - abar, 1, or sqrt(abar) (1 - abar).")] = "sds"

    def __post_init__(self) -> None:
        check_knobs(self)

    def init(self, prior: Prior, prompts: Prompts, rng: torch.Generator) -> None:
        return None

    def loss(self, x: Tensor, t: Tensor, prompts: Prompts, prior: Prior, state: None, rng: torch.Generator) -> GuidanceOut:
        """SDS loss for renders ``x`` (B,C,h,w) at times ``t`` (B,)."""
        eps = torch.randn(x.shape, generator=rng, device=x.device, dtype=x.dtype)
        with torch.no_grad():
            x_t = prior.schedule.add_noise(x, eps, t)
            prediction = guided(prior.predict(x_t, t, prompts.unconditional), prior.predict(x_t, t, prompts.positive), self.guidance_scale)
        gradient = time_weight(prior.schedule, t, self.weighting, x) * (prediction.eps - eps)
        return GuidanceOut(loss_from_gradient(x, gradient), prediction.x0, metrics={"gradient_norm": float(gradient.norm() / len(x))})


METHOD = Sds
