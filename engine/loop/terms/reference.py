"""The 3D reference, where the prior cannot be told of it: a pull on the shape."""

from __future__ import annotations

from torch import Tensor

from engine.loop.reference.pull import pull
from engine.loop.terms.rendered import RenderedStep


def loss(step: RenderedStep) -> Tensor | None:
    """How far the views are from the reference, by its strength at their noise; None where it acts in another way."""
    guide = step.context.guide
    if guide is None:
        return None
    influence = guide.pulling(step.knobs)
    if influence.silent:
        return None
    times = (step.t + 0.5) / len(step.context.prior.schedule)
    return step.scaled(pull(step.views, step.cameras, guide.model.maps(step.cameras), times, influence, guide.reading))
