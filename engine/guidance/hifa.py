"""HiFA: arXiv 2305.18766. SDS read as a distance to the clean picture, in the prior's space and, beside it,
in pixels.

Because x_t is one picture, w (eps_guided - eps) = w (a / sig) (x - x0) exactly. HiFA decodes x0 too and adds
the same distance between the rendered pictures and the decoded ones, which reaches the scene without the
encoder's distortions:

    w (a / sig) (x - x0)  in the prior's space,   picture_weight w (a / sig) (picture - decode(x0))  in pixels

| here | paper |
|---|---|
| prediction.x0, wanted | the one-step estimates z_hat, and x_hat = decoder(z_hat) |
| picture_weight | lambda_rgb |

The paper lets t fall with the square root of time: the timestep policy "hifa".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

from engine.core.fields import Range, check_fields
from engine.core.gradient import loss_from_gradient
from engine.core.noise_schedule import NoiseSchedule, noise_like, time_weight
from engine.core.views import Views
from engine.guidance.base import GuidanceOut, out_of
from engine.guidance.cost import Cost, guided_passes
from engine.guidance.marks import GuidanceScale, TimeWeight
from engine.lazy import torch
from engine.prior.base import Prior, PriorInfo, Prompts
from engine.prior.resize import to_square
from engine.prior.sampling import predict_guided

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Hifa:
    """Gradient of SDS, and its twin in pixels. Two forward passes a step, and one picture decoded for each
    view.
    """

    title: ClassVar[str] = "HiFA"
    sentence: ClassVar[str] = (
        "SDS that also compares pixels with the decoded clean picture. Meant for latent priors."
    )

    guidance_scale: GuidanceScale = 7.5
    picture_weight: Annotated[
        float,
        Range(
            0,
            1,
            0.01,
            label="Pixel share",
            help="How much the distance in pixels counts beside that in the prior's space.",
        ),
    ] = 0.1
    weighting: TimeWeight = "sds"

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def cost(self) -> Cost:
        return Cost(guided_passes(self.guidance_scale), decodes=int(self.picture_weight > 0))

    def check(self, info: PriorInfo) -> None:
        """Works with every prior."""

    def init(self, prior: Prior, prompts: Prompts, rng: torch.Generator) -> None:
        return None

    def loss(
        self, x: Tensor, t: Tensor, prompts: Prompts, prior: Prior, state: None, rng: torch.Generator
    ) -> GuidanceOut:
        """HiFA loss for renders ``x`` (B,C,h,w) at times ``t`` (B,)."""
        with torch.no_grad():
            x_t = prior.schedule.add_noise(x, noise_like(x, rng), t)
            x0 = predict_guided(prior, x_t, t, prompts, self.guidance_scale).x0
            weight = distance_weight(prior.schedule, t, self.weighting, x)
        out = out_of(x, weight * (x.detach() - x0), x0)
        if self.picture_weight == 0:
            return out
        return replace(out, picture_loss=partial(picture_loss, x0, self.picture_weight * weight, prior))


def distance_weight(schedule: NoiseSchedule, t: Tensor, weighting: str, like: Tensor) -> Tensor:
    """w (a / sig), shaped to broadcast over ``like``: what an error in x0 weighs where an error in eps weighs
    w.
    """
    if weighting == "denoise":  # w = sig / a
        return torch.ones_like(like[:, :1, :1, :1])
    a, sig = schedule.signal_and_noise(t, like)
    return time_weight(schedule, t, weighting, like) * a / sig


def picture_loss(x0: Tensor, weight: Tensor, prior: Prior, views: Views) -> Tensor:
    """Loss whose gradient on the pictures (B,C,S,S), as ``prior`` sees them, is ``weight`` (picture -
    decode(x0)) / B.
    """
    with torch.no_grad():
        wanted = pictures_of(prior.decode(x0), prior.info)
    pictures = pictures_of(views, prior.info)
    return loss_from_gradient(pictures, weight.to(pictures) * (pictures.detach() - wanted))


def pictures_of(views: Views, info: PriorInfo) -> Tensor:
    """(B,3,S,S) or, for priors that see alpha, (B,4,S,S), 0..1, at the prior's resolution."""
    pictures = views.rgb if info.channels == "rgb" else views.rgba
    return to_square(pictures, info.resolution)


METHOD = Hifa
