"""Noise schedules and the algebra between the noise, the clean picture and the velocity.

Letters: ``abar`` = alphas_cumprod[t], ``a = sqrt(abar)``, ``sig = sqrt(1 - abar)``; forward process ``x_t = a
x + sig eps``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """``alphas_cumprod`` (T,), decreasing, float64: the share of signal that is left at each of T times."""

    alphas_cumprod: Tensor

    def __post_init__(self) -> None:
        abar = self.alphas_cumprod
        assert abar.ndim == 1 and bool((abar[1:] <= abar[:-1]).all()), (
            "alphas_cumprod must be one decreasing row"
        )
        assert bool(((abar >= 0) & (abar <= 1)).all()), (
            f"alphas_cumprod must lie in 0..1, got {abar.min()}..{abar.max()}"
        )

    def __len__(self) -> int:
        return len(self.alphas_cumprod)

    def signal_and_noise(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """``a`` and ``sig`` at integer times ``t`` (B,), shaped to broadcast over ``like`` (B,...), in its
        dtype and device.
        """
        abar = self.alphas_cumprod.to(like.device)[t.to(like.device)].to(torch.float64)
        shape = (-1, *([1] * (like.ndim - 1)))
        return abar.sqrt().to(like.dtype).view(shape), (1 - abar).sqrt().to(like.dtype).view(shape)

    def add_noise(self, x: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """``x_t`` = a x + sig eps."""
        a, sig = self.signal_and_noise(t, x)
        return a * x + sig * eps

    def index(self, fraction: float) -> int:
        """The integer time nearest to ``fraction`` (0 = clean, 1 = noise) of the schedule."""
        return min(len(self) - 1, max(0, round(fraction * len(self))))


def x0_from_eps(x_t: Tensor, eps: Tensor, a: Tensor | float, sig: Tensor | float) -> Tensor:
    """Clean picture from predicted noise; ``a`` must not be 0."""
    return (x_t - sig * eps) / a


def eps_from_x0(x_t: Tensor, x0: Tensor, a: Tensor | float, sig: Tensor | float) -> Tensor:
    """Noise from a predicted clean picture; ``sig`` must not be 0."""
    return (x_t - a * x0) / sig


def eps_from_v(x_t: Tensor, v: Tensor, a: Tensor, sig: Tensor) -> Tensor:
    """Noise from velocity ``v = a eps - sig x0`` (arXiv 2202.00512)."""
    return a * v + sig * x_t


def x0_from_v(x_t: Tensor, v: Tensor, a: Tensor, sig: Tensor) -> Tensor:
    """Clean picture from velocity ``v = a eps - sig x0``."""
    return a * x_t - sig * v


def flow_time(a: Tensor, sig: Tensor) -> Tensor:
    """The time s of a rectified flow, x_s = (1 - s) x0 + s eps (arXiv 2403.03206, section 3), with the same
    share of noise.

    ``x_s`` is then our ``x_t / (a + sig)``.
    """
    return sig / (a + sig)


def eps_from_flow(x_t: Tensor, velocity: Tensor, a: Tensor, sig: Tensor) -> Tensor:
    """Noise from a flow's velocity ``eps - x0`` at our ``x_t``: x_s + (1 - s) velocity, also where ``a`` is
    0.
    """
    return (x_t + a * velocity) / (a + sig)


def x0_from_flow(x_t: Tensor, velocity: Tensor, a: Tensor, sig: Tensor) -> Tensor:
    """Clean picture from a flow's velocity ``eps - x0`` at our ``x_t``: x_s - s velocity, also where ``a`` is
    0.
    """
    return (x_t - sig * velocity) / (a + sig)


def scaled_linear(steps: int = 1000, start: float = 0.00085, end: float = 0.012) -> NoiseSchedule:
    """Stable Diffusion's schedule: betas linear in their square root."""
    betas = torch.linspace(start**0.5, end**0.5, steps, dtype=torch.float64) ** 2
    return NoiseSchedule((1 - betas).cumprod(0))


def linear(steps: int = 1000, start: float = 1e-4, end: float = 0.02) -> NoiseSchedule:
    """DDPM's schedule: betas linear (arXiv 2006.11239)."""
    return NoiseSchedule((1 - torch.linspace(start, end, steps, dtype=torch.float64)).cumprod(0))


def squared_cosine(steps: int = 1000) -> NoiseSchedule:
    """The cosine schedule of arXiv 2102.09672, with betas capped at 0.999 (DeepFloyd IF stage I)."""
    f = [math.cos((i / steps + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(steps + 1)]
    betas = torch.tensor([min(1 - f[i + 1] / f[i], 0.999) for i in range(steps)], dtype=torch.float64)
    return NoiseSchedule((1 - betas).cumprod(0))


def zero_terminal_snr(schedule: NoiseSchedule) -> NoiseSchedule:
    """Rescale so that the last time is pure noise and the first is unchanged (arXiv 2305.08891, algorithm
    1).
    """
    root = schedule.alphas_cumprod.sqrt()
    return NoiseSchedule(((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2)


def rectified_flow(steps: int = 1000, shift: float = 1.0) -> NoiseSchedule:
    """Our times for a rectified flow: index i has the noise of s = shift u / (1 + (shift - 1) u) with u = (i
    + 1) / T.

    ``shift`` moves the times of training and sampling to more noise (arXiv 2403.03206, equation 23). The last
    is pure noise.
    """
    u = torch.arange(1, steps + 1, dtype=torch.float64) / steps
    s = shift * u / (1 + (shift - 1) * u)
    return NoiseSchedule((1 - s) ** 2 / ((1 - s) ** 2 + s**2))


def noise_like(x: Tensor, rng: torch.Generator) -> Tensor:
    """Normal noise with the shape, dtype and device of ``x``, drawn on the generator's device: the same on
    every device.
    """
    return torch.randn(x.shape, generator=rng, device=rng.device, dtype=x.dtype).to(x.device)


WEIGHTINGS = ("sds", "uniform", "fantasia3d", "denoise")
LEAST_SIGNAL = 1e-4
"""Where ``a`` is smaller (only at the end of zero-terminal-SNR schedules), weights that divide by it use
this.
"""


def time_weight(schedule: NoiseSchedule, t: Tensor, weighting: str, like: Tensor) -> Tensor:
    """w(t), shaped to broadcast over ``like``: 1 - abar, 1, sqrt(abar) (1 - abar) or sig / a, as in
    WEIGHTINGS.

    With "denoise" an error in eps weighs as much as the error in x0 that it implies: w (eps' - eps) = x0(eps)
    - x0(eps').
    """
    a, sig = schedule.signal_and_noise(t, like)
    if weighting == "denoise":
        return sig / a.clamp(min=LEAST_SIGNAL)
    if weighting == "sds":
        return sig**2
    if weighting == "fantasia3d":
        return a * sig**2
    assert weighting == "uniform", weighting
    return torch.ones_like(a)
