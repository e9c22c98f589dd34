"""Score distillation sampling: DreamFusion, arXiv 2209.14988, equation 3.

| here | paper |
|---|---|
| a, sig | alpha_t, sigma_t |
| guided(...).eps | eps_hat_phi(z_t; y, t), with classifier-free guidance |
| weight | w(t) |

With the weight "denoise", w = sig / a, the gradient is exactly x - x0: the distance to the guided clean
picture. It is the x0-reconstruction loss of MVDream (arXiv 2308.16512, section 3.3), which also rescales by
one half: ``guidance_rescale`` 0.5.

Guidance rescale: high guidance makes pictures too bright and too dark; this gives them the contrast of the
plain prediction.

arXiv 2305.08891, section 3.4, on the clean picture instead of the network's output, as MVDream does (arXiv
2308.16512, section 3.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from engine.core.fields import Range, check_fields
from engine.core.noise_schedule import NoiseSchedule, noise_like, time_weight
from engine.guidance.base import GuidanceOut, out_of
from engine.guidance.cost import Cost, guided_passes
from engine.guidance.marks import GuidanceScale, GuidanceTMin, TimeWeight
from engine.lazy import torch
from engine.prior.base import Prediction, Prior, PriorInfo, Prompts, guided
from engine.prior.perp_neg import repelled
from engine.prior.sampling import predict_guided, scale_at

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Sds:
    """Gradient w(t) (eps_guided - eps): the guided prediction minus the noise that was added. Two passes a
    step, or one.
    """

    title: ClassVar[str] = "SDS"
    sentence: ClassVar[str] = (
        "Pushes each view towards what the prior would denoise it to. Simple and robust."
    )

    guidance_scale: GuidanceScale = 7.5
    weighting: TimeWeight = "sds"
    guidance_rescale: Annotated[
        float,
        Range(
            0,
            1,
            0.05,
            label="Guidance rescale",
            advanced=True,
            help="Tames the contrast that high guidance adds: 0 not at all, 1 fully.",
        ),
    ] = 0.0
    guidance_t_min: GuidanceTMin = 0.0

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def cost(self) -> Cost:
        passes = guided_passes(self.guidance_scale)
        return Cost(1, up_to=passes) if self.guidance_t_min > 0 else Cost(passes)

    def check(self, info: PriorInfo) -> None:
        """Works with every prior."""

    def init(self, prior: Prior, prompts: Prompts, rng: torch.Generator) -> None:
        return None

    def loss(
        self, x: Tensor, t: Tensor, prompts: Prompts, prior: Prior, state: None, rng: torch.Generator
    ) -> GuidanceOut:
        """SDS loss for renders ``x`` (B,C,h,w) at times ``t`` (B,)."""
        eps = noise_like(x, rng)
        with torch.no_grad():
            x_t = prior.schedule.add_noise(x, eps, t)
            prediction = self.predict(x_t, t, prompts, prior)
            gradient = self.gradient(x, t, eps, prediction, prior.schedule)
        return out_of(x, gradient, prediction.x0)

    def predict(self, x_t: Tensor, t: Tensor, prompts: Prompts, prior: Prior) -> Prediction:
        """The guided and rescaled prediction; one pass where guidance, and with it its contrast, is off."""
        scale = scale_at(t, prior.schedule, self.guidance_scale, self.guidance_t_min)
        if self.guidance_rescale == 0 or scale == 1:
            return predict_guided(prior, x_t, t, prompts, scale)
        unconditional, conditional = (
            prior.predict(x_t, t, branch) for branch in (prompts.unconditional, prompts.positive)
        )
        steered = repelled(prior, x_t, t, prompts, unconditional, conditional)
        prediction = guided(unconditional, steered, scale)
        return rescaled(
            prediction, conditional, self.guidance_rescale, t, prior.schedule, prior.info.joint_views
        )

    def gradient(
        self, x: Tensor, t: Tensor, eps: Tensor, prediction: Prediction, schedule: NoiseSchedule
    ) -> Tensor:
        """w(t) (eps_guided - eps), in the form that does not divide by ``a`` where there is one."""
        if self.weighting == "denoise":
            return x - prediction.x0
        return time_weight(schedule, t, self.weighting, x) * (prediction.eps - eps)


METHOD = Sds


def rescaled(
    guided: Prediction, conditional: Prediction, share: float, t: Tensor, schedule: NoiseSchedule, joint: bool
) -> Prediction:
    """``guided`` with its clean picture scaled ``share`` (0..1) of the way to the spread of
    ``conditional``'s.

    Spread is the std over a picture, or over all views together if they are ``joint``. The noise follows the
    clean picture.
    """
    if share == 0:
        return guided
    factor = (spread(conditional.x0, joint) + 1e-8) / (spread(guided.x0, joint) + 1e-8)
    x0 = guided.x0 * (share * factor + (1 - share))
    a, sig = schedule.signal_and_noise(t, x0)
    return Prediction(guided.eps + a / sig * (guided.x0 - x0), x0)


def spread(x: Tensor, joint: bool) -> Tensor:
    """Std of each picture (B,1,1,1), or of all of them (1,1,1,1)."""
    return torch.std(x, dim=(0, 1, 2, 3) if joint else (1, 2, 3), correction=0, keepdim=True)
