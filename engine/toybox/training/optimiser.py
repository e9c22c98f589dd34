"""Muon for the matrices inside the blocks, AdamW for everything else, a running mean of the weights, and the
rate over time.

Muon (K. Jordan, 2024): momentum whose update is brought near an orthogonal matrix by Newton and Schulz's
iteration.

`torch.optim.Muon` iterates in bfloat16 on every device. Processors that do not multiply bfloat16 natively
take ten times as long for it as in float32, longer than for the gradients; here the precision is a choice,
and equal shapes go through together.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from engine.prior.toybox.prior import half_pays

QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of X <- a X + (b A + c A A) X with A = X X^T."""
ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised, with decoupled weight decay; rates match AdamW's (arXiv 2502.16982,
    eq. 4).

    Takes matrices only. Its state has the names of `torch.optim.Muon`'s, so that either goes on where the
    other stopped.
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
        assert p.grad is not None, "the loss reaches all of them"
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


@dataclass(frozen=True)
class Rates:
    """Learning rates and the shape of their change over a run."""

    muon: float = 2e-3
    adam: float = 1.5e-3
    text: float = 4e-4  # the text encoder, which could read before, though not the new words
    weight_decay: float = 0.02
    warmup_steps: int = 100
    decay_share: float = 0.4  # of the run: the rate falls linearly to 0
    ema_decay: float = 0.999
    clip: float = 1.0


def rate_factor(step: int, progress: float, rates: Rates) -> float:
    """Share of the full rate at a step when ``progress`` (0..1) of the time is spent: warm up, stay, decay
    (arXiv 2404.06395).
    """
    return min(1.0, (step + 1) / rates.warmup_steps, max(0.0, (1 - progress) / rates.decay_share))


def ema_decay(step: int, rates: Rates) -> float:
    """Decay of the running mean: short at first, so that it forgets the random start."""
    return min(rates.ema_decay, (1 + step) / (20 + step))


class Optimiser:
    """Both optimisers as one."""

    def __init__(self, net: nn.Module, rates: Rates) -> None:
        matrices, text, others = split_parameters(net)
        groups = [{"params": others}, {"params": text}]
        adam = torch.optim.AdamW(groups, lr=rates.adam, weight_decay=0.0, betas=(0.9, 0.98), fused=True)
        self.parts: dict[str, torch.optim.Optimizer] = {"adam": adam}
        self.rates: dict[str, tuple[float, ...]] = {"adam": (rates.adam, rates.text), "muon": (rates.muon,)}
        if matrices:  # a network of convolutions has none
            dtype = torch.bfloat16 if half_pays(matrices[0].device) else torch.float32
            self.parts["muon"] = Muon(matrices, rates.muon, rates.weight_decay, dtype=dtype)

    def step(self, factor: float) -> None:
        """One step at ``factor`` of the full rates."""
        for name, optimiser in self.parts.items():
            for group, rate in zip(optimiser.param_groups, self.rates[name], strict=True):
                group["lr"] = rate * factor
            optimiser.step()

    def state_dict(self) -> dict[str, object]:
        """Everything that `load_state_dict` needs."""
        return {name: optimiser.state_dict() for name, optimiser in self.parts.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        for name, optimiser in self.parts.items():
            optimiser.load_state_dict(state[name])


def split_parameters(net: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter], list[nn.Parameter]]:
    """The matrices of the transformer blocks, the text encoder, and all other parameters."""
    matrices, text, others = [], [], []
    for name, p in net.named_parameters():
        group = (
            text
            if name.startswith("text.")
            else matrices
            if ".blocks." in f".{name}" and p.ndim == 2
            else others
        )
        group.append(p)
    return matrices, text, others


class FlatGradients:
    """All gradients in one vector, with a few more numbers at its end that processes want to share."""

    def __init__(self, parameters: Iterable[nn.Parameter], extra: int) -> None:
        parameters = list(parameters)
        # the fused optimiser goes through both in the order of memory, and would take the wrong numbers
        assert all(p.is_contiguous() for p in parameters), "weights must be contiguous"
        count = sum(p.numel() for p in parameters)
        self.vector = torch.zeros(count + extra, device=parameters[0].device)
        self.gradients, self.extra = self.vector[:count], self.vector[count:]
        for p, part in zip(parameters, self.gradients.split([p.numel() for p in parameters]), strict=True):
            p.grad = part.view_as(p)

    def clip(self, largest: float) -> Tensor:
        """Scale the gradients down to norm ``largest`` if they are longer; returns the norm they had."""
        norm = self.gradients.norm()
        self.gradients.mul_((largest / norm.clamp(min=1e-12)).clamp(max=1.0))
        return norm
