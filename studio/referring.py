"""What a run tells of its reference: how strongly it acts now, how well it fits, and how like it the shape has become."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from engine.loop.guiding.marks import OPEN
from engine.session import JobView

TRACE_POINTS = 80
FULLY = 0.995
SIMILARITY, STRENGTH, GATE, FIT = "reference_similarity", "reference_strength", "reference_gate", "reference_fit"
FITS = ((0.85, "Fits well: open to"), (0.4, "Fits in part: open to"), (0.02, "Hardly fits: closed to"))


def reference_status(view: JobView) -> dict[str, Any] | None:
    """What the page shows beside the curve, JSON-safe; None for a run without a reference.

    A number that nobody has told yet is None; the others are the newest of the run.
    """
    if not view.settings.spec.reference.strip():
        return None
    newest = {name: points[-1][1] for name, points in view.traces.items() if points}
    if GATE in view.metrics and FIT not in view.metrics:
        newest.pop(FIT, None)  # nobody judges any more
    return {
        "noise": _rounded(view.metrics.get("noise")),
        "strength": _rounded(newest.get(STRENGTH)),
        "gate": _rounded(newest.get(GATE)),
        "similarity": _rounded(newest.get(SIMILARITY)),
        "ignored": view.knobs.ignore_reference,
        "words": fit_words(newest, view.knobs.reference_gate),
        "traces": {"similarity": course(view.traces.get(SIMILARITY, ())), "strength": course(view.traces.get(STRENGTH, ()))},
    }


def fit_words(newest: Mapping[str, float], asked: str) -> str:
    """How far the gate is open, and why, in a few words; ``asked`` is the setting ``reference_gate``."""
    opening = newest.get(GATE)
    if opening is None:
        return ""
    if asked == OPEN:
        return "Always open, whether it fits or not."
    if FIT not in newest:
        return "Open: the prior itself weighs how well it fits."
    if opening > FULLY:
        return "Fits well: fully open."
    told = next((words for least, words in FITS if opening >= least), "")
    return f"{told} {opening:.2f}." if told else "Does not fit: closed."


def course(points: Sequence[tuple[int, float]]) -> list[list[float]]:
    """At most ``TRACE_POINTS`` + 1 of the (step, number) pairs, evenly spread, the last one among them."""
    stride = max(1, math.ceil(len(points) / TRACE_POINTS))
    return [[step, _rounded(number)] for step, number in points[::-1][::stride][::-1]]


def _rounded(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else round(number, 3)
