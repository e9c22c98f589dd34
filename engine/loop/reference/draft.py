"""A draft in sight of a reference: what the prior is told at each sampling step, and the pull where it cannot
be told.

A reference for priors that were taught none: an energy whose score is composed with the prior's (arXiv
2206.01714).

The energy |x_t - a c|^2 / (2 sig^2) pulls towards a target c; weighted with lambda its score joins the
prior's,

    eps' = (eps + lambda (x_t - a c) / sig) / (1 + lambda),    x0' = (x0 + lambda c) / (1 + lambda).

Dividing by 1 + lambda moves no zero of the joint score, and keeps the noise as long as noise is. With a
Gaussian prior of mean mu and variance v at this time that zero is (a mu / v + k a c) / (1 / v + k) with k =
lambda / sig^2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from PIL import ImageColor
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.noise_schedule import NoiseSchedule, eps_from_x0
from engine.core.views import LUMA, Views
from engine.loop.reference.guide import Guide, mask_of, with_reference
from engine.loop.reference.refine import strength_metrics
from engine.loop.spec import Knobs
from engine.prior.base import Prediction, Prior, Prompts, Reference
from engine.prior.reference.maps import ReferenceMaps, routed
from engine.prior.reference.silhouette import outline_iou
from engine.prior.sampling import predict_guided

FROM_NOISE, FROM_REFERENCE = 0.999, 0.33
"""Shares of the schedule at which a draft begins that follows its reference not at all, and wholly."""


def pulled(
    prediction: Prediction, x_t: Tensor, t: Tensor, schedule: NoiseSchedule, target: Tensor, strengths: Tensor
) -> Prediction:
    """The joint prediction; ``target`` (B,C,h,w) in the prior's space, ``strengths`` lambda, which broadcast
    to it.
    """
    x0 = (prediction.x0 + strengths * target) / (1 + strengths)
    return Prediction(eps_from_x0(x_t, x0, *schedule.signal_and_noise(t, x_t)), x0)


def colours_named(prompt: str) -> tuple[str, ...]:
    """The colours (CSS names) among the words of a prompt, each once."""
    words = re.findall(r"[a-z]+", prompt.lower())
    return tuple(dict.fromkeys(word for word in words if word in ImageColor.colormap))


def tinted(rgba: Tensor, colour: Tensor) -> Tensor:
    """Premultiplied pictures (V,H,W,4) in one ``colour`` (3,), as light and as dark as they are."""
    luma = (rgba[..., :3] * rgba.new_tensor(LUMA)).sum(-1, keepdim=True)
    alpha = rgba[..., 3:]
    shade = (luma / (luma.sum() / alpha.sum().clamp(min=1e-6)).clamp(min=1e-3)).clamp(max=1.6)
    return torch.cat([torch.minimum(shade * colour.to(rgba), alpha), alpha], dim=-1)


@dataclass(frozen=True, eq=False)
class GuidedDraft:
    """The views from ``cameras`` that ``prior`` shall draft, and ``maps`` of the reference from there; both
    None without one.
    """

    prior: Prior
    plain: Prompts  # without the reference
    cameras: Cameras
    guide: Guide | None
    maps: ReferenceMaps | None

    @staticmethod
    def of(prior: Prior, plain: Prompts, guide: Guide | None, cameras: Cameras) -> GuidedDraft:
        """``plain`` are the prompts without the reference."""
        return GuidedDraft(prior, plain, cameras, guide, None if guide is None else guide.maps_from(cameras))

    def start(self, knobs: Knobs) -> float:
        """The share of the schedule at which sampling begins: 1 is pure noise, less keeps that much of the
        reference's look.
        """
        following = (
            0.0 if self.guide is None or self.prior.info.channels != "rgba" else self.guide.following(knobs)
        )
        return FROM_NOISE + following * (FROM_REFERENCE - FROM_NOISE)

    def first(self, noise: Tensor, time: int, prompt: str, knobs: Knobs) -> Tensor:
        """What sampling begins with at ``time``: ``noise`` (V,C,h,w), or the reference's pictures under as
        much of it as belongs to the time (SDEdit, arXiv 2108.01073), in the prompt's colour where it names
        just one.
        """
        if self.guide is None or self.start(knobs) >= FROM_NOISE:
            return noise
        rgba = self.guide.model.pictures(self.cameras)
        if not self.guide.painted and len(colours_named(prompt)) == 1:
            rgba = tinted(rgba, self._expected_colour(noise))
        x = self.prior.encode(Views(rgba[..., :3], rgba[..., 3:], torch.zeros_like(rgba[..., 3:]))).to(noise)
        return self.prior.schedule.add_noise(x, noise, torch.full((len(x),), time, device=x.device))

    @torch.no_grad()
    def _expected_colour(self, noise: Tensor) -> Tensor:
        """The mean colour (3,) of what the prior sees in pure noise when it is told the words."""
        t = torch.full((len(noise),), self.prior.schedule.index(FROM_NOISE), device=noise.device)
        views = self.prior.decode(predict_guided(self.prior, noise, t, self.plain, 1.0).x0)
        return views.rgb.sum((0, 1, 2)) / views.alpha.sum().clamp(min=1e-3)

    def prompts(self, knobs: Knobs) -> Prompts:
        """What is told with these knobs."""
        return with_reference(self.plain, self.cameras, self.guide, knobs)

    def corrected(self, prediction: Prediction, x_t: Tensor, t: Tensor, knobs: Knobs) -> Prediction:
        """For priors that see alpha: it is pulled towards the reference's outlines, where the guide pulls at
        all.
        """
        if self.guide is None or self.maps is None or self.prior.info.channels != "rgba":
            return prediction
        influence = self.guide.pulling(knobs)
        if influence.silent:
            return prediction
        times = (t + 0.5) / len(self.prior.schedule)
        mask = mask_of(routed(self.maps, times[None], self.guide.reading)).to(x_t.device)
        target = self.prior.encode(Views(mask.expand(-1, -1, -1, 3), mask, mask))
        strengths = Reference(influence).strengths(times).to(x_t).view(-1, 1, 1, 1)
        alpha = torch.arange(x_t.shape[1], device=x_t.device).view(1, -1, 1, 1) == 3
        return pulled(prediction, x_t, t, self.prior.schedule, target.to(x_t), strengths * alpha)

    def metrics(self, views: Views, time: int, knobs: Knobs) -> dict[str, float]:
        """The noise of the sampling step at ``time``, how strongly the reference acted there, and how like it
        the draft is.
        """
        noise = {"noise": time / len(self.prior.schedule)}
        if self.guide is None:
            return noise
        acting = noise | strength_metrics(
            self.guide, knobs, torch.tensor([(time + 0.5) / len(self.prior.schedule)])
        )
        if self.maps is None or self.prior.info.channels != "rgba":
            return acting
        likeness = float(outline_iou(views.alpha, mask_of(self.maps).to(views.alpha.device)).mean())
        return {"reference_similarity": likeness, **acting}
