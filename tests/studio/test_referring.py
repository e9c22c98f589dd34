"""What a run tells of its reference: plain numbers, words for the gate, and a course that stays short."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session import JobView, Session
from studio.referring import TRACE_POINTS, course, fit_words, reference_status
from studio.status import status_of


@pytest.fixture
def view(session: Session, tmp_path: Path) -> JobView:
    token = session.submit(Settings(RunSpec("a red mug", refine_steps=2), Knobs()), "ada")
    shown = session.wait(token, 60)
    return replace(shown, settings=Settings(replace(shown.settings.spec, reference="mug.glb"), Knobs()))


def test_a_run_without_a_reference_tells_nothing_of_one(view: JobView) -> None:
    plain = replace(view, settings=Settings(RunSpec("a mug"), Knobs()))
    assert reference_status(plain) is None and status_of(plain)["reference"] is None


def test_the_newest_numbers_stay_while_a_stage_tells_none(view: JobView) -> None:
    traces = {"reference_similarity": ((1, 0.25), (2, 0.5)), "reference_gate": ((2, 0.75),), "reference_fit": ((2, 0.6),)}
    told = reference_status(replace(view, metrics={}, traces=traces))
    assert (told["similarity"], told["gate"], told["strength"], told["noise"]) == (0.5, 0.75, None, None)
    assert told["traces"] == {"similarity": [[1, 0.25], [2, 0.5]], "strength": []} and "0.75" in told["words"]
    opened = reference_status(replace(view, metrics={"reference_gate": 1.0, "noise": math.nan}, traces=traces))
    assert "itself" in opened["words"] and opened["noise"] is None, "what closed the gate once is forgotten"
    json.dumps(told, allow_nan=False)


def test_live_settings_are_the_newest(view: JobView) -> None:
    told = reference_status(replace(view, knobs=replace(view.knobs, ignore_reference=True, reference_gate="open"), traces={
        "reference_gate": ((1, 1.0),)}))  # fmt: skip
    assert told["ignored"] and told["words"].startswith("Always open")


@pytest.mark.parametrize(("opening", "words"), [
    (1.0, "Fits well: fully open."), (0.91, "Fits well: open to 0.91."), (0.6, "Fits in part: open to 0.60."),
    (0.12, "Hardly fits: closed to 0.12."), (0.0, "Does not fit: closed."),
])  # fmt: skip
def test_the_gate_is_told_in_words(opening: float, words: str) -> None:
    assert fit_words({"reference_gate": opening, "reference_fit": 0.5}, "auto") == words
    assert fit_words({"reference_gate": opening, "reference_fit": 0.5}, "0.5") == words
    assert fit_words({}, "auto") == ""


@pytest.mark.parametrize("count", [0, 1, TRACE_POINTS, TRACE_POINTS + 1, 500])
def test_a_course_is_short_in_order_and_ends_with_the_newest(count: int) -> None:
    points = [(step, step / 7) for step in range(count)]
    thin = course(points)
    steps = [step for step, _ in thin]
    assert len(thin) <= TRACE_POINTS + 1 and steps == sorted(steps) and steps[-1:] == [step for step, _ in points[-1:]]
