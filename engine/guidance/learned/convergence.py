"""How near a learned null branch has come to the noise itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.guidance.cost import COMPARE_STEPS

MEMORY = 0.8  # share of the comparisons before that the read-out keeps


class Convergence(nn.Module):
    """Counts steps and remembers errors; buffers alone, so that a checkpoint holds them."""

    steps: Tensor
    errors: Tensor

    def __init__(self, device: torch.device | str = "cpu") -> None:
        super().__init__()
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("errors", torch.zeros(2, dtype=torch.float64, device=device))  # squared: learned, plain

    def begin_step(self, reset_steps: int) -> bool:
        """Count a step; true every ``reset_steps`` of them (0: never), when what was learned is to be forgotten."""
        self.steps += 1
        forget = bool(reset_steps) and int(self.steps) % reset_steps == 0
        if forget:
            self.errors.zero_()
        return forget

    @property
    def asks_plain(self) -> bool:
        """Whether this step compares with the plain null prompt."""
        return int(self.steps) % COMPARE_STEPS == 0

    def compare(self, learned: Tensor, plain: Tensor) -> None:
        """Take note of two errors in the noise, (B,C,h,w) each, of one noisy render."""
        found = torch.stack([learned.square().mean(), plain.square().mean()]).to(self.errors)
        if torch.isfinite(found).all():
            self.errors.mul_(MEMORY).add_((1 - MEMORY) * found)

    def value(self) -> float:
        """1 - (squared error of the learned branch / of the plain one): 0 at first, 1 when it explains every render."""
        learned, plain = self.errors.tolist()
        return 1 - learned / plain if plain > 0 else 0.0
