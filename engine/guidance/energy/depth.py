"""The surface stays as far away as it is to be, where both are solid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.guidance.energy.pictures import Pictures

if TYPE_CHECKING:
    from torch import Tensor

SOLID = 0.5


def energy(pictures: Pictures) -> Tensor | None:
    """Mean of (z - z_target)^2, z = depth / alpha in world units; None without a target, or where pictures
    have no depth.
    """
    views, target = pictures.views, pictures.target
    if target is None or not views.depth.requires_grad:
        return None
    both = (views.alpha.detach() > SOLID) & (target.alpha > SOLID)
    apart = views.depth / views.alpha.clamp(min=SOLID) - target.depth / target.alpha.clamp(min=SOLID)
    return (both * apart.square()).mean()
