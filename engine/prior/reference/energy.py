"""A reference for priors that were taught none: an energy whose score is composed with the prior's (arXiv 2206.01714).

The energy |x_t - a c|^2 / (2 sig^2) pulls towards a target c; weighted with lambda its score joins the prior's,

    eps' = (eps + lambda (x_t - a c) / sig) / (1 + lambda),    x0' = (x0 + lambda c) / (1 + lambda).

Dividing by 1 + lambda moves no zero of the joint score, and keeps the noise as long as noise is. With a Gaussian prior of mean mu
and variance v at this time that zero is (a mu / v + k a c) / (1 / v + k) with k = lambda / sig^2.
"""

from __future__ import annotations

from torch import Tensor

from engine.core.noise_schedule import NoiseSchedule, eps_from_x0
from engine.prior.base import Prediction


def pulled(
    prediction: Prediction, x_t: Tensor, t: Tensor, schedule: NoiseSchedule, target: Tensor, strengths: Tensor
) -> Prediction:
    """The joint prediction; ``target`` (B,C,h,w) in the prior's space, ``strengths`` lambda, which broadcast to it."""
    x0 = (prediction.x0 + strengths * target) / (1 + strengths)
    return Prediction(eps_from_x0(x_t, x0, *schedule.signal_and_noise(t, x_t)), x0)
