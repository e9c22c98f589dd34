"""What may look at all views' features in the denoiser's head."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Joining(Protocol):
    """What looks at all views' features in the head, and adds to them."""

    def middle(self, x: Tensor) -> Tensor:
        """Features (BV,c1,16,16)."""
        ...

    def fine(self, x: Tensor) -> Tensor:
        """Features (BV,c0,32,32)."""
        ...
