"""The loss by which a method's own state learns what the scene looks like now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.noise_schedule import noise_like
from engine.lazy import torch
from engine.prior.base import Condition, Prior

if TYPE_CHECKING:
    from torch import Tensor


def denoising_loss(x: Tensor, condition: Condition, prior: Prior, rng: torch.Generator) -> Tensor:
    """mean |eps(a x + sig eps', t'; condition) - eps'|^2 with fresh times and noise; it never reaches ``x`` (B,C,h,w).

    Times are even over the range that the prior is good at (the papers draw from the whole schedule); joint priors share one.
    """
    low, high = (prior.schedule.index(fraction) for fraction in prior.info.time_range)
    t = torch.randint(low, high + 1, (1 if prior.info.joint_views else len(x),), generator=rng, device=rng.device)
    t, x = t.expand(len(x)).to(x.device), x.detach()
    eps = noise_like(x, rng)
    return (prior.predict(prior.schedule.add_noise(x, eps, t), t, condition).eps - eps).square().mean()
