"""The guidance slider's range: what a method allows, as far as it makes sense with a prior.

A scale that suits a latent prior tears a toybox shape apart within seconds, so the slider ends where that would begin.
"""

from __future__ import annotations

from dataclasses import replace

from engine.core.fields import Range

ROOM = 4.0  # the slider reaches so many times the scale that the prior is at home with
FULL = 100.0  # the scale at which a prior leaves a method its whole range


def sensible(mark: Range, home: float, value: float) -> Range:
    """``mark`` for a prior that is at home with the scale ``home`` (0: unknown), wide enough for the present ``value``."""
    high = mark.high if home <= 0 else max(mark.high * min(1.0, ROOM * home / FULL), mark.low + mark.step)
    return replace(mark, high=min(mark.high, max(high, value)))


def with_usual(help: str, usual: float) -> str:
    """The help sentence with the usual value; ``assets/sliders.js`` finds it there and marks it on the slider."""
    return f"{help} Usual here: {usual:g}.".strip()
