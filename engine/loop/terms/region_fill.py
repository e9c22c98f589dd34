"""A region that starts filled does not empty at once (L_init of Progressive3D, arXiv 2310.11784, equation
6).
"""

from __future__ import annotations

from torch import Tensor

from engine.loop.region_settings import FILL
from engine.loop.terms.rendered import RenderedStep

UNTIL = 0.25  # share of the refine steps


def loss(step: RenderedStep) -> Tensor | None:
    """``region_fill`` times the sum of (1 - o)^2 over pixels that may change, fading to 0; None where there
    is no need.
    """
    spec = step.context.spec
    left = 1 - step.state.step / max(1.0, UNTIL * spec.refine_steps)
    if step.kept is None or spec.region_start != FILL or left <= 0 or not step.knobs.region_fill:
        return None
    empty = (step.kept.mask * (1 - step.views.alpha).square()).sum() / len(step.views)
    return step.knobs.region_fill * left * empty
