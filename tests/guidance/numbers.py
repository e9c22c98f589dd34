"""The scalar Gaussian example that the methods' closed forms are worked out on."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.core.noise_schedule import NoiseSchedule
from engine.guidance.base import Guidance
from engine.prior.analytic import AnalyticPrior, gaussian
from engine.prior.base import Condition, Prior, Prompts

STD, EMPTY, CUP, UGLY = 0.5, 0.3, 1.1, -0.7
TIMES = (100, 500, 900)
START, EPS = 2.0, 0.25


def scalar_prior(
    schedule: NoiseSchedule | None = None, cup_std: float = STD, empty_std: float = STD
) -> AnalyticPrior:
    """Numbers instead of pictures: "" is 0.3, "a cup" 1.1, "ugly" -0.7, each give or take a half."""
    return AnalyticPrior(
        {"": gaussian(EMPTY, empty_std), "a cup": gaussian(CUP, cup_std), "ugly": gaussian(UGLY, STD)},
        schedule,
    )


def prompts_of(prior: Prior, negative: str | None = None) -> Prompts:
    """A cup, and not ``negative``."""
    positive, empty = (Condition(prior.embed(prompt)) for prompt in ("a cup", ""))
    return Prompts(positive, empty, None if negative is None else Condition(prior.embed(negative)))


def gradients(
    method: Guidance,
    prior: Prior,
    x: Tensor | float,
    t: int,
    batch: int = 1,
    negative: str | None = None,
    seed: int = 0,
) -> Tensor:
    """What reaches each of ``batch`` numbers ``x``, (batch,)."""
    start = (
        torch.as_tensor(x, dtype=torch.float64).expand(batch).reshape(batch, 1, 1, 1).clone().requires_grad_()
    )
    rng, prompts = torch.Generator().manual_seed(seed), prompts_of(prior, negative)
    out = method.loss(start, torch.full((batch,), t), prompts, prior, method.init(prior, prompts, rng), rng)
    out.loss.backward()
    return start.grad.flatten() * batch


def constants(prior: Prior, t: int, std: float = STD) -> tuple[float, float, float]:
    """``a``, ``sig`` and ``v = a^2 std^2 + sig^2`` at time ``t``."""
    a, sig = (
        part.item()
        for part in prior.schedule.signal_and_noise(torch.tensor([t]), torch.zeros(1, dtype=torch.float64))
    )
    return a, sig, a**2 * std**2 + sig**2


def known_noise(x: Tensor, rng: torch.Generator) -> Tensor:
    """Stands in for ``noise_like``: a quarter everywhere."""
    return torch.full_like(x, EPS)
