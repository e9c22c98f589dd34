"""What a run tells of its reference: how strongly it acts now, how well it fits, and how like it the shape
has become.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.loop.reference.input_files import path_in
from engine.loop.reference.provenance import origin_of
from engine.loop.reference.reference_source import Retrieved, parsed_reference
from engine.loop.reference_settings import OPEN
from engine.session import JobView

TRACE_POINTS = 80
FULLY, NOTHING = 0.995, 0.02
SIMILARITY, STRENGTH, GATE, FIT = (
    "reference_similarity",
    "reference_strength",
    "reference_gate",
    "reference_fit",
)
FITS = ((0.85, "fits well"), (0.4, "fits in part"), (NOTHING, "hardly fits"))
ANYWAY = "To follow it all the same, set the gate to Always open"


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
        "words": fit_words(newest, view.knobs.reference_gate, chosen_by_hand(view.settings.spec.reference)),
        "traces": {
            "similarity": course(view.traces.get(SIMILARITY, ())),
            "strength": course(view.traces.get(STRENGTH, ())),
        },
    }


def fit_words(newest: Mapping[str, float], wanted: str, chosen: bool = False) -> str:
    """Whether the reference is followed, and why, in one sentence; ``wanted`` is the setting
    ``reference_gate``.

    ``chosen``: a person picked it.
    """
    who, opening = "Chosen by you" if chosen else "Retrieved", newest.get(GATE)
    if opening is None:
        return f"{who}." if chosen else ""
    if wanted == OPEN:
        return f"{who}: followed whether it fits or not, as you set the gate."
    if FIT not in newest:
        return f"{who}: followed." if chosen else f"{who}: the prior itself weighs how well it fits."
    if opening > FULLY:
        return f"{who}: it fits well and is followed."
    fits = next((words for least, words in FITS if opening >= least), "does not fit")
    acts = (
        f"the gate lets {round(100 * opening)} % of its strength act"
        if opening >= NOTHING
        else "the gate keeps it out"
    )
    anyway = f" {ANYWAY}." if chosen else f" {ANYWAY}, or choose it by hand."
    return f"{who}: it {fits}, so {acts}." + ("" if opening >= FITS[0][0] else anyway)


@lru_cache(maxsize=256)
def chosen_by_hand(reference: str) -> bool:
    """Whether a person picked the reference of a run; False for one that was retrieved."""
    text = reference.strip()
    if parsed_reference(text) is not None:
        return not isinstance(parsed_reference(text), Retrieved)
    origin = origin_of(Path(path_in(text)))
    return origin is None or not getattr(origin, "retrieved", True)


def course(points: Sequence[tuple[int, float]]) -> list[list[float | None]]:
    """At most ``TRACE_POINTS`` + 1 of the (step, number) pairs, evenly spread, the last one among them."""
    stride = max(1, math.ceil(len(points) / TRACE_POINTS))
    return [[step, _rounded(number)] for step, number in points[::-1][::stride][::-1]]


def _rounded(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else round(number, 3)
