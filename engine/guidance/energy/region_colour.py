"""What is seen in a region has a colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.guidance.energy.pictures import Pictures

if TYPE_CHECKING:
    from torch import Tensor


def energy(pictures: Pictures) -> Tensor | None:
    """Mean over all pixels of the squared distance from ``colour``, where ``region`` shows matter; None
    without either.
    """
    if pictures.region is None or pictures.colour is None:
        return None
    alpha = pictures.views.alpha
    apart = pictures.views.rgb - alpha.detach() * pictures.colour.to(pictures.views.rgb)
    return (pictures.region * apart.square()).mean()
