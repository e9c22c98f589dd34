"""What every scene is: named parameter tensors. A scene is data; it cannot draw itself (see
``engine.render``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from engine.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


class Scene(Protocol):
    """Parameters that an optimiser moves and a renderer draws. Tensors are changed in place; fields are never
    rebound.
    """

    kind: ClassVar[str]  # the word for it in settings and checkpoints

    def parameters(self) -> dict[str, Tensor]:
        """The leaf tensors to optimise, by name."""
        ...

    def learning_rates(self) -> dict[str, float]:
        """Adam's base rate for each of ``parameters``."""
        ...

    def frozen_copy(self) -> Any:
        """The scene as it is now, in memory of its own and without history: for viewers and for rolling
        back.
        """
        ...

    def to(self, device: torch.device | str) -> Any:
        """The same scene on another device, as fresh leaves."""
        ...

    @staticmethod
    def from_arrays(arrays: Any) -> Any:
        """A scene as ``to_arrays`` wrote it."""
        ...

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Copies of everything that a checkpoint must hold."""
        ...
