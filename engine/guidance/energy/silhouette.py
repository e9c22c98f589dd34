"""The outline stays as it is to be: squared difference of opacities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.guidance.energy.pictures import Pictures

if TYPE_CHECKING:
    from torch import Tensor


def energy(pictures: Pictures) -> Tensor | None:
    """Mean of (o - o_target)^2; None without a target."""
    if pictures.target is None:
        return None
    return (pictures.views.alpha - pictures.target.alpha).square().mean()
