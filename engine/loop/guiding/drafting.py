"""A draft in sight of a reference: what the prior is told at each sampling step, and the pull where it cannot be told."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.loop.guiding.guide import Guide, mask_of, with_reference
from engine.loop.guiding.refining import strength_metrics
from engine.loop.spec import Knobs
from engine.math.cameras import Cameras
from engine.math.views import Views
from engine.prior.base import Prediction, Prior, Prompts, Reference
from engine.prior.reference.energy import pulled
from engine.prior.reference.maps import ReferenceMaps, routed
from engine.prior.reference.silhouette import outline_iou


@dataclass(frozen=True, eq=False)
class GuidedDraft:
    """The views from ``cameras`` that ``prior`` shall draft, and ``maps`` of the reference from there; both None without one."""

    prior: Prior
    told: Prompts
    cameras: Cameras
    guide: Guide | None
    maps: ReferenceMaps | None

    @staticmethod
    def of(prior: Prior, told: Prompts, guide: Guide | None, cameras: Cameras) -> GuidedDraft:
        """``told`` are the prompts without the reference."""
        return GuidedDraft(prior, told, cameras, guide, None if guide is None else guide.seen(cameras))

    def prompts(self, knobs: Knobs) -> Prompts:
        """What is told with these knobs."""
        return with_reference(self.told, self.cameras, self.guide, knobs)

    def corrected(self, prediction: Prediction, x_t: Tensor, t: Tensor, knobs: Knobs) -> Prediction:
        """For priors that see alpha: it is pulled towards the reference's outlines, where the guide pulls at all."""
        if self.guide is None or self.prior.info.channels != "rgba":
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
        """The noise of the sampling step at ``time``, how strongly the reference acted there, and how like it the draft is."""
        noise = {"noise": time / len(self.prior.schedule)}
        if self.guide is None:
            return noise
        acting = noise | strength_metrics(self.guide, knobs, torch.tensor([(time + 0.5) / len(self.prior.schedule)]))
        if self.prior.info.channels != "rgba":
            return acting
        likeness = float(outline_iou(views.alpha, mask_of(self.maps).to(views.alpha.device)).mean())
        return {"reference_similarity": likeness, **acting}
