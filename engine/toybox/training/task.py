"""What the training loop asks of a course: a network, a loss for each step, and an examination."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn


class Course(Protocol):
    """One thing that can be trained. ``net`` is what the optimiser moves, and all of its parameters are trained."""

    net: nn.Module

    def loss(self, step: int, images: int, progress: float) -> Tensor:
        """This process's loss of step ``step`` on ``images`` pictures, when ``progress`` 0..1 of the run is spent."""
        ...

    def state(self) -> Mapping[str, Any]:
        """What a checkpoint must hold beside the weights; among it ``config``, the network's sizes."""
        ...

    def with_weights(self, weights: Mapping[str, Tensor]) -> nn.Module:
        """A frozen network with these weights, for the examination."""
        ...

    def examine(self, net: nn.Module, sheet: Path) -> dict[str, list[float]]:
        """Validation errors of a network, and a sheet of samples."""
        ...
