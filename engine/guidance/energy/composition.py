"""Energies composed with a prior: eps' = eps + sig sum_j gamma_j grad_{x_t} g_j (arXiv 2206.01714; Jambon
2024, equation 3.8).

An energy reads the clean picture, g(x0), and the network between x_t and x0 is taken to be constant (as by
arXiv 2302.07121), so that grad_{x_t} g = grad_{x0} g / a, and x0' = x0 - (sig / a)^2 sum_j gamma_j grad_{x0}
g_j.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.core.noise_schedule import NoiseSchedule
from engine.lazy import torch
from engine.prior.base import Prediction

if TYPE_CHECKING:
    from torch import Tensor

Energy = Callable[["Tensor"], "Tensor | None"]
"""The weighted sum of energies of a clean picture x0 (B,C,h,w), as a number; None where there is nothing to
say.
"""


def composed(
    prediction: Prediction, x_t: Tensor, t: Tensor, schedule: NoiseSchedule, energy: Energy
) -> Prediction:
    """The joint prediction. The push is no longer than eps in any picture, so that it cannot leave what the
    prior knows.
    """
    with torch.enable_grad():
        x0 = prediction.x0.detach().requires_grad_()
        value = energy(x0)
        if value is None or not value.requires_grad:
            return prediction
        (gradient,) = torch.autograd.grad(value, x0)
    a, sig = schedule.signal_and_noise(t, x_t)
    push = bounded(sig / a * gradient, prediction.eps)
    return Prediction(prediction.eps + push, prediction.x0 - sig / a * push)


def bounded(push: Tensor, eps: Tensor) -> Tensor:
    """``push`` (B,C,h,w), shortened picture by picture to the length of ``eps``."""
    dims = tuple(range(1, push.ndim))
    length = push.square().sum(dims, keepdim=True).sqrt()
    return push * (eps.square().sum(dims, keepdim=True).sqrt() / length.clamp(min=1e-12)).clamp(max=1)
