"""What a method really asks of the denoiser: its passes, counted where they happen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Passes:
    """How often a network was run forward, and how often a gradient went back through it."""

    forwards: int = 0
    backwards: int = 0

    def clear(self) -> None:
        """Count from zero again."""
        self.forwards = self.backwards = 0


@contextmanager
def counted(network: torch.nn.Module) -> Iterator[Passes]:
    """Count the passes of ``network``, whose output is one tensor, until the block ends."""
    passes = Passes()

    def backward(_: Tensor) -> None:
        passes.backwards += 1

    def forward(_: torch.nn.Module, __: tuple, output: Tensor) -> None:
        passes.forwards += 1
        if output.requires_grad:
            output.register_hook(backward)

    handle = network.register_forward_hook(forward)
    try:
        yield passes
    finally:
        handle.remove()
