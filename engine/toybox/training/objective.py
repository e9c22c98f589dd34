"""What training minimises: the weighted squared error of the predicted clean views."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.core.noise_schedule import NoiseSchedule
from engine.prior.toybox.network import StemFeatures, ToyboxDenoiser
from engine.prior.toybox.prior import half_pays
from engine.prior.toybox.schedule import time_fraction
from engine.prior.toybox.text_encoder import Words
from engine.toybox.training.batches import TrainingBatch

LARGEST_WEIGHT = 5.0


Guide = Callable[[Tensor, Words], StemFeatures]
"""What a reference adds to the stem's features, from noise times (B,V), 0 where a view is given, and the
words.
"""


def predict_clean(
    net: ToyboxDenoiser, schedule: NoiseSchedule, batch: TrainingBatch, guide: Guide | None = None
) -> Tensor:
    """Noise the views that are not given and let the network clean them: x0 (B,V,4,S,S) in float32.

    Under bf16 autocast where that pays. The block ends before the loss: inside it autocast keeps its casts of
    the weights, and an optimiser's step would change nothing.
    """
    x_t = torch.where(
        batch.clean[..., None, None, None], batch.x, schedule.add_noise(batch.x, batch.noise, batch.t)
    )
    t = torch.where(batch.clean, 0.0, time_fraction(batch.t, len(schedule))[:, None])
    with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=half_pays(batch.x.device)):
        words = net.text(batch.ids)
        reference = None if guide is None else guide(t, words)
        return net(x_t, t, words, batch.poses, batch.clean, reference).float()


def view_errors(predicted: Tensor, batch: TrainingBatch) -> Tensor:
    """Mean squared error (B,V) of each view; 0 for given ones."""
    return (predicted - batch.x).square().mean((2, 3, 4)) * ~batch.clean


def training_loss(
    net: ToyboxDenoiser, schedule: NoiseSchedule, batch: TrainingBatch, guide: Guide | None = None
) -> Tensor:
    """Mean over the noisy views of the error times `time_weight`."""
    errors = view_errors(predict_clean(net, schedule, batch, guide), batch)
    return (time_weight(schedule, batch) * errors).sum() / (~batch.clean).sum()


def time_weight(schedule: NoiseSchedule, batch: TrainingBatch) -> Tensor:
    """What an object's errors count (B,1): min(1 / sigma^2, 5)."""
    _, sig = schedule.signal_and_noise(batch.t, batch.x[:, :1, 0, 0, 0])
    return (1 / sig**2).clamp(max=LARGEST_WEIGHT)
