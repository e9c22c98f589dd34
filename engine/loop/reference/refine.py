"""Numbers of a reference to watch while a run refines: how strongly it acts, and how like it the shape has
become.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from engine.loop.reference.guide import Guide
from engine.loop.spec import Knobs
from engine.prior.base import Reference

if TYPE_CHECKING:  # the state holds a context, which holds the guide
    from engine.loop.state import RunState

LIKENESS_STEPS = 10  # the shape is compared with the reference this often


def guiding_metrics(guide: Guide | None, state: RunState, knobs: Knobs, times: Tensor) -> dict[str, float]:
    """How strongly the reference acts at the noise ``times`` (B,); from time to time, how like it the shape
    is.
    """
    if guide is None:
        return {}
    compared = (
        {}
        if state.step % LIKENESS_STEPS
        else {"reference_similarity": guide.outlines.likeness(state.scene, state.renderer)}
    )
    return compared | strength_metrics(guide, knobs, times)


def strength_metrics(guide: Guide, knobs: Knobs, times: Tensor) -> dict[str, float]:
    """The mean strength at noise ``times`` (B,) in 0..1, and how far the gate is open.

    Where a likeness decides on that, it is told as the fit.
    """
    strength = float(Reference(guide.influence(knobs)).strengths(times).float().mean())
    fit = {"reference_fit": guide.likeness} if guide.likeness is not None and guide.is_judged(knobs) else {}
    return {"reference_strength": strength, "reference_gate": guide.opening(knobs), **fit}
