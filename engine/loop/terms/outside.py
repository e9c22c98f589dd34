"""What lies outside the region stays as it was, in colour and in opacity (Progressive3D, arXiv 2310.11784,
equation 5).
"""

from __future__ import annotations

from torch import Tensor

from engine.loop.region import SOLID, Kept
from engine.loop.terms.rendered import RenderedStep


def loss(step: RenderedStep) -> Tensor | None:
    """``outside_weight`` times `consistency`; None where all may change."""
    if step.kept is None or not step.knobs.outside_weight:
        return None
    return (
        step.knobs.outside_weight * consistency(step.views.rgb, step.views.alpha, step.kept) / len(step.views)
    )


def consistency(rgb: Tensor, alpha: Tensor, kept: Kept) -> Tensor:
    """The sum over pixels outside of |C - C_s|^2 where the source is solid, and of (o - o_s)^2 everywhere.

    The paper holds colours alone where it is solid, and o^2 elsewhere; with o_s, soft edges stay soft.
    """
    outside = 1 - kept.mask
    solid = outside * (kept.views.alpha > SOLID)
    return (solid * (rgb - kept.views.rgb).square()).sum() + (
        outside * (alpha - kept.views.alpha).square()
    ).sum()
