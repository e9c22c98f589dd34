"""Toybox's noise schedule: the cosine of arXiv 2102.09672, moved towards more noise because cut-outs of toys
are redundant.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.core.noise_schedule import NoiseSchedule

TIMES = 1000
LOG_SNR_SHIFT = 2 * math.log(0.5)


def shifted_cosine(times: int = TIMES, log_snr_shift: float = LOG_SNR_SHIFT) -> NoiseSchedule:
    """``alphas_cumprod`` = sigmoid(-2 log tan(pi u / 2) + shift) at u = (i + 1/2) / times; the shift: arXiv
    2301.11093, eq. 6.
    """
    u = (torch.arange(times, dtype=torch.float64) + 0.5) / times
    return NoiseSchedule(torch.sigmoid(-2 * torch.log(torch.tan(math.pi / 2 * u)) + log_snr_shift))


def time_fraction(t: Tensor, times: int = TIMES) -> Tensor:
    """Integer times as the network reads them: in 0..1, never 0, which is the time of a clean view."""
    return (t.to(torch.float32) + 0.5) / times
