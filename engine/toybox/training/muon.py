"""Muon (K. Jordan, 2024): momentum whose update is brought near an orthogonal matrix by Newton and Schulz's iteration.

`torch.optim.Muon` iterates in bfloat16 on every device. Processors that do not multiply bfloat16 natively take ten times as long
for it as in float32, longer than for the gradients; here the precision is a choice, and equal shapes go through together.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of X <- a X + (b A + c A A) X with A = X X^T."""
ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised, with decoupled weight decay; rates match AdamW's (arXiv 2502.16982, eq. 4).

    Takes matrices only. Its state has the names of `torch.optim.Muon`'s, so that either goes on where the other stopped.
    """

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        lr: float,
        weight_decay: float,
        momentum: float = 0.95,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.dtype = dtype
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One step from the gradients of all matrices."""
        for group in self.param_groups:
            for matrices in _by_shape(group["params"]):
                updates = torch.stack([self._momentum(p, group["momentum"]) for p in matrices])
                rate = group["lr"] * 0.2 * math.sqrt(max(matrices[0].shape))
                for p, update in zip(matrices, orthogonalised(updates.to(self.dtype)), strict=True):
                    p.mul_(1 - group["lr"] * group["weight_decay"]).add_(update.to(p.dtype), alpha=-rate)

    def _momentum(self, p: nn.Parameter, momentum: float) -> Tensor:
        """Nesterov's look ahead of the running mean of the gradients of ``p``."""
        mean = self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
        mean.lerp_(p.grad, 1 - momentum)
        return p.grad.lerp(mean, momentum)


def _by_shape(matrices: Iterable[nn.Parameter]) -> list[list[nn.Parameter]]:
    groups: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
    for p in matrices:
        groups[p.shape].append(p)
    return list(groups.values())


def orthogonalised(updates: Tensor, iterations: int = ITERATIONS) -> Tensor:
    """Matrices (N,R,C) with the same singular vectors and singular values near 1 (0.7 to 1.2)."""
    tall = updates.shape[1] > updates.shape[2]
    x = updates.transpose(1, 2) if tall else updates
    x = x / x.flatten(1).norm(dim=1).clamp(min=1e-7)[:, None, None]
    a, b, c = QUINTIC
    for _ in range(iterations):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.transpose(1, 2) if tall else x
