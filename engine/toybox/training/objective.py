"""What training minimises: the weighted squared error of the predicted clean views."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.math.noise import NoiseSchedule
from engine.prior.toybox.network import ToyboxDenoiser
from engine.prior.toybox.schedule import time_fraction
from engine.toybox.training.batches import TrainingBatch

LARGEST_WEIGHT = 5.0


def predict_clean(net: ToyboxDenoiser, schedule: NoiseSchedule, batch: TrainingBatch) -> Tensor:
    """Noise the views that are not given and let the network clean them: x0 (B,V,4,S,S) in float32, under bf16 autocast."""
    x_t = torch.where(batch.clean[..., None, None, None], batch.x, schedule.add_noise(batch.x, batch.noise, batch.t))
    t = torch.where(batch.clean, 0.0, time_fraction(batch.t, len(schedule))[:, None])
    with torch.autocast(batch.x.device.type, torch.bfloat16):
        return net(x_t, t, net.text(batch.ids), batch.poses, batch.clean).float()


def view_errors(predicted: Tensor, batch: TrainingBatch) -> Tensor:
    """Mean squared error (B,V) of each view; 0 for given ones."""
    return (predicted - batch.x).square().mean((2, 3, 4)) * ~batch.clean


def training_loss(net: ToyboxDenoiser, schedule: NoiseSchedule, batch: TrainingBatch) -> Tensor:
    """Mean over the noisy views of the error times min(1 / sigma^2, 5)."""
    _, sig = schedule.signal_and_noise(batch.t, batch.x[:, :1, 0, 0, 0])
    weight = (1 / sig**2).clamp(max=LARGEST_WEIGHT)
    return (weight * view_errors(predict_clean(net, schedule, batch), batch)).sum() / (~batch.clean).sum()
