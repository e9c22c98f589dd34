"""Walk a picture up the noise levels with DDIM run backwards: the noise it gets is the noise the prior would
take away.

Reverse of arXiv 2010.02502, equation 12: x_t = a_t x0(x_s, s) + sig_t eps(x_s, s) for t > s.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from engine.core.noise_schedule import NoiseSchedule, noise_like
from engine.lazy import torch
from engine.prior.base import Prediction, Prior, Prompts
from engine.prior.sampling import predict_guided

if TYPE_CHECKING:
    from torch import Tensor


def invert(
    prior: Prior,
    prompts: Prompts,
    x_t: Tensor,
    times: Tensor,
    guidance_scale: float,
    eta: float = 0.0,
    rng: torch.Generator | None = None,
) -> Tensor:
    """``x_t`` (B,C,h,w), which has the noise of ``times[0]``, with the noise of ``times[-1]``; ``times``
    (N+1,B) never fall.

    Each of the N steps costs one guided prediction. With ``eta`` above 0 a step adds ``eta`` times the noise
    that a DDPM step back over the same distance would draw, from ``rng``.
    """
    for now, then in pairwise(times):
        prediction = predict_guided(prior, x_t, now, prompts, guidance_scale)
        x_t = prior.schedule.add_noise(prediction.x0, inverted_noise(prior, prediction), then)
        if eta > 0:
            assert rng is not None, "what draws noise needs a generator"
            x_t = x_t + eta * ddpm_spread(prior.schedule, now, then, x_t) * noise_like(x_t, rng)
    return x_t


def inverted_noise(prior: Prior, prediction: Prediction) -> Tensor:
    """The noise (B,C,h,w) to go on with: ``eps``, and for a prior that predicts pictures no more than unit
    variance of it.

    Such a prior's eps is what its picture leaves, divided by sig. Next to the clean picture, where sig is
    small, a slight disagreement becomes noise of a hundred times the variance that any level has, and the
    path would never come back.
    """
    if not prior.info.implies_noise:
        return prediction.eps
    strength = prediction.eps.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return prediction.eps / strength.clamp(min=1)


def ddpm_spread(schedule: NoiseSchedule, low: Tensor, high: Tensor, like: Tensor) -> Tensor:
    """Std of DDPM's step from time ``high`` down to ``low`` (B,): sigma of arXiv 2010.02502, equation 16 with
    eta = 1.
    """
    (a_low, sig_low), (a_high, sig_high) = (schedule.signal_and_noise(t, like) for t in (low, high))
    return sig_low / sig_high.clamp(min=1e-12) * (1 - (a_high / a_low) ** 2).clamp(min=0).sqrt()


def even_times(t: Tensor, steps: int) -> Tensor:
    """``steps`` + 1 integer times (steps+1,B), evenly from 0 to each of ``t`` (B,).

    The grid of a path that is walked up and down again: ``ddim`` takes these from the last to the first. The
    times of ``sampling_times`` end above 0, for a sample that comes from nowhere, and lead back to another
    picture.
    """
    share = torch.linspace(0, 1, steps + 1, dtype=torch.float64, device=t.device)
    return (share[:, None] * t).round().to(t.dtype)


def strided_times(t: Tensor, stride: int) -> Tensor:
    """Integer times (N+1,B) from 0 in strides that stop at each of ``t`` (B,); N is what the latest needs."""
    steps = -(-int(t.max()) // stride)
    return torch.minimum(torch.arange(steps + 1, dtype=t.dtype, device=t.device)[:, None] * stride, t)
