"""Energies of the step's views, whatever the guidance method (`engine.guidance.energy`)."""

from __future__ import annotations

from torch import Tensor

from engine.core.views import Views
from engine.loop.energies import Energies
from engine.loop.terms.rendered import RenderedStep


def loss(step: RenderedStep) -> Tensor | None:
    """Their weighted sum on the scale of a guidance loss; None where none is switched on or has anything to
    say.
    """
    energies = Energies(step.context, step.state, step.knobs)
    if not energies.weights:
        return None
    value = energies.of_scene(_over_black(step), step.cameras)
    return None if value is None else step.scaled(value)


def _over_black(step: RenderedStep) -> Views:
    if step.background is None:
        return step.views
    views = step.views
    return Views(views.rgb - (1 - views.alpha) * step.background, views.alpha, views.depth)
