"""Flat pictures as a scene: the playground for guidance methods, with nothing between the parameters and what
is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from engine.errors import FileFormatError, InputError


@dataclass(frozen=True, eq=False)
class Canvas:
    """``raw`` (V,H,W,4): logits of colour and alpha of V pictures, which stand round the object at azimuths
    360 v / V degrees.
    """

    kind: ClassVar[str] = "canvas"

    raw: Tensor

    def __post_init__(self) -> None:
        if self.raw.ndim != 4 or self.raw.shape[-1] != 4 or 0 in self.raw.shape:
            raise InputError(
                f"A canvas has shape {tuple(self.raw.shape)}.",
                "Give V pictures of colour and alpha: (V,H,W,4).",
            )

    def __len__(self) -> int:
        return len(self.raw)

    @property
    def device(self) -> torch.device:
        """Where the tensor lives."""
        return self.raw.device

    @property
    def rgba(self) -> Tensor:
        """The pictures (V,H,W,4), premultiplied."""
        rgb, alpha = self.raw.sigmoid().split([3, 1], dim=-1)
        return torch.cat([rgb * alpha, alpha], dim=-1)

    def parameters(self) -> dict[str, Tensor]:
        """The raw tensor by name."""
        return {"raw": self.raw}

    def learning_rates(self) -> dict[str, float]:
        """Adam's base rate for the raw tensor."""
        return {"raw": 0.05}

    def frozen_copy(self) -> Canvas:
        """The pictures as they are now, in memory of their own and without history."""
        return Canvas(self.raw.detach().clone())

    def to(self, device: torch.device | str) -> Canvas:
        """The same pictures on another device, as a fresh leaf."""
        return Canvas(self.raw.detach().to(device))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """A copy of the raw tensor, for checkpoints."""
        return {"raw": self.raw.detach().cpu().numpy().copy()}

    @staticmethod
    def from_arrays(arrays: Mapping[str, np.ndarray]) -> Canvas:
        """The inverse of ``to_arrays``; raises FileFormatError when the array is missing or has another
        shape.
        """
        if "raw" not in arrays:
            raise FileFormatError("A canvas checkpoint lacks raw.", "Load a checkpoint of a canvas.")
        try:
            return Canvas(torch.from_numpy(np.array(arrays["raw"], np.float32)))
        except InputError as error:
            raise FileFormatError(
                f"This canvas checkpoint is broken. {error.what}", "Load another checkpoint."
            ) from error


def noise(views: int, size: int, rng: torch.Generator) -> Canvas:
    """``views`` square pictures of soft noise round middle grey, half transparent."""
    return Canvas(0.5 * torch.randn(views, size, size, 4, generator=rng))


def from_rgba(rgba: Tensor) -> Canvas:
    """The canvas that shows premultiplied ``rgba`` (V,H,W,4), drawn in to 0.01..0.99, where the logistic
    function has a slope.
    """
    rgb, alpha = rgba.detach().split([3, 1], dim=-1)
    straight = torch.where(alpha > 0, rgb / alpha.clamp_min(1e-6), 0.5)
    return Canvas(torch.logit(torch.cat([straight, alpha], dim=-1).clamp(0.01, 0.99)))
