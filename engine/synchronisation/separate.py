"""A prior whose views of one call show one object, asked for instances that are things of their own: one call each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.core.noise_schedule import NoiseSchedule
from engine.prior.base import Condition, Prediction, Prior, PriorInfo


@dataclass(frozen=True, eq=False)
class Separate:
    """``prior`` for N instances, each with its own prompt and camera; what else belongs to them stays with all."""

    prior: Prior

    @property
    def info(self) -> PriorInfo:
        return self.prior.info

    @property
    def schedule(self) -> NoiseSchedule:
        return self.prior.schedule

    @property
    def device(self) -> torch.device:
        return self.prior.device

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        seen = [self.prior.predict(x_t[i : i + 1], t[i : i + 1], _of(condition, i, len(x_t))) for i in range(len(x_t))]
        return Prediction(torch.cat([each.eps for each in seen]), torch.cat([each.x0 for each in seen]))


def _of(condition: Condition, i: int, count: int) -> Condition:
    text = condition.text
    text = text if len(text.tokens) == 1 else text.split(1)[i]
    cameras = condition.cameras
    return replace(condition, text=text, cameras=None if cameras is None else cameras[torch.tensor([i])])
