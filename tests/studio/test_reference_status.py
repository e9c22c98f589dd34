"""What a run tells of its reference: plain numbers, words for the gate, and a course that stays short."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from engine.loop.reference.provenance import Origin, write_origin
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session import JobView, Session
from studio.reference_status import TRACE_POINTS, chosen_by_hand, course, fit_words, reference_status
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
    traces = {
        "reference_similarity": ((1, 0.25), (2, 0.5)),
        "reference_gate": ((2, 0.75),),
        "reference_fit": ((2, 0.6),),
    }
    told = reference_status(replace(view, metrics={}, traces=traces))
    assert (told["similarity"], told["gate"], told["strength"], told["noise"]) == (0.5, 0.75, None, None)
    assert told["traces"] == {"similarity": [[1, 0.25], [2, 0.5]], "strength": []} and "75 %" in told["words"]
    opened = reference_status(
        replace(view, metrics={"reference_gate": 1.0, "noise": math.nan}, traces=traces)
    )
    assert opened["words"] == "Chosen by you: followed." and opened["noise"] is None, (
        "what closed the gate once is forgotten"
    )
    json.dumps(told, allow_nan=False)


def test_live_settings_are_the_newest(view: JobView) -> None:
    told = reference_status(replace(view, knobs=replace(view.knobs, ignore_reference=True,
        reference_gate="open"), traces={
        "reference_gate": ((1, 1.0),)}))  # fmt: skip
    assert told["ignored"] and "whether it fits or not" in told["words"]


@pytest.mark.parametrize(("opening", "words"), [
    (1.0, "it fits well and is "
          "followed."), (0.91, "it fits well, so the gate lets 91 % of its strength act."),
    (0.6, "it fits in part, so the gate lets 60 % of its strength "
          "act."), (0.0, "it does not fit, so the gate keeps it out."),
    (0.12, "it hardly fits, so the gate lets 12 % of its strength act."),
])  # fmt: skip
def test_the_gate_is_told_in_words(opening: float, words: str) -> None:
    newest = {"reference_gate": opening, "reference_fit": 0.5}
    assert fit_words(newest, "auto").startswith(f"Retrieved: {words}") and fit_words(
        newest, "0.5"
    ) == fit_words(newest, "auto")
    assert fit_words(newest, "auto", chosen=True).startswith(f"Chosen by you: {words}")
    assert ("all the same" in fit_words(newest, "auto")) == (opening < 0.85), (
        "what can be done about it is said"
    )
    assert fit_words({}, "auto") == ""


def test_what_a_person_chose_is_told_apart_from_what_was_retrieved(tmp_path: Path) -> None:
    assert chosen_by_hand("shelf:toybox/701000") and not chosen_by_hand("auto:3")
    path = tmp_path / "mug.obj"
    path.write_text("v 0 0 0\n", encoding="utf-8")
    assert chosen_by_hand(str(path))
    found = tmp_path / "found.obj"
    found.write_text("v 1 0 0\n", encoding="utf-8")
    write_origin(found, Origin("toybox/1", "a mug", "toybox", "Apache-2.0", 0.5, **retrieved()))
    assert not chosen_by_hand(str(found))
    assert fit_words({"reference_gate": 1.0}, "auto", chosen=True) == "Chosen by you: followed."


def retrieved() -> dict[str, bool]:
    """As far as an origin says so."""
    return {"retrieved": True} if "retrieved" in Origin.__dataclass_fields__ else {}


@pytest.mark.parametrize("count", [0, 1, TRACE_POINTS, TRACE_POINTS + 1, 500])
def test_a_course_is_short_in_order_and_ends_with_the_newest(count: int) -> None:
    points = [(step, step / 7) for step in range(count)]
    thin = course(points)
    steps = [step for step, _ in thin]
    assert (
        len(thin) <= TRACE_POINTS + 1
        and steps == sorted(steps)
        and steps[-1:] == [step for step, _ in points[-1:]]
    )
