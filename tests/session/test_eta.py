"""The time that a run still takes is that of all its stages and of writing its files, and right from a third
of it on.
"""

from __future__ import annotations

import pytest

from engine.loop.messages import StageStarted, Stepped
from engine.loop.plan import stages_of
from engine.loop.spec import RunSpec
from engine.session.eta import (
    COMPARED,
    FINISH,
    Pace,
    finishing,
    seconds_left,
    steps_ahead,
    total_steps,
    with_eta,
)
from engine.session.progress import Progress

SPEC = RunSpec("a red mug", start="draft", sampling_steps=8, fit_steps=120, refine_steps=100)
TABLES = {
    "as on two cores": dict(COMPARED),
    "a prior that takes long": {"draft": 20.0, "fit": 0.05, "refine": 1.0, FINISH: 4.0},
    "a scene that is slow to fit": {"draft": 1.0, "fit": 2.0, "refine": 1.0, FINISH: 10.0},
}


def told(
    spec: RunSpec, table: dict[str, float], known: dict[str, float], first: float = 5.0
) -> list[tuple[float, float]]:
    """(seconds gone, seconds said to be left) after each step of a run; a stage's first step takes ``first``
    times as long.
    """
    progress, pace, gone, total, said = Progress(), Pace(), 0.0, 0, []
    for stage in stages_of(spec):
        progress = progress.after(StageStarted(stage.name, stage.steps))
        for step in range(1, stage.steps + 1):
            seconds, total = table[stage.name] * (first if step == 1 else 1.0), total + 1
            gone, pace = gone + seconds, pace.after(stage.name, seconds)
            progress = progress.after(Stepped(stage.name, step, stage.steps, total, 0, 1.0, gone, 1.0, 1.0))
            said.append((gone, with_eta(progress, spec, pace, known).eta_seconds))
    return [*said, (gone, finishing(progress, pace, known).eta_seconds)]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_the_time_left_is_right_within_a_fifth_from_a_third_of_the_run_on(table: dict[str, float]) -> None:
    """The run before was of the same kind, on a machine three times as fast."""
    known = {stage: seconds / 3 for stage, seconds in table.items()}
    said = told(SPEC, table, known)
    end = said[-1][0] + table[FINISH]
    late = [(gone, left) for gone, left in said if gone > end / 3]
    assert len(late) > 20
    worst = max(abs(left - (end - gone)) / (end - gone) for gone, left in late)
    assert worst < 0.2


def test_a_first_run_is_compared_with_what_runs_take_on_two_cores() -> None:
    said = told(SPEC, {stage: 0.08 * share for stage, share in COMPARED.items()}, {})
    end = said[-1][0] + 0.08 * COMPARED[FINISH]
    assert all(abs(left - (end - gone)) < 0.2 * (end - gone) for gone, left in said if gone > end / 3)


def test_one_counter_goes_through_all_stages() -> None:
    moments = (
        ("draft", 1, 8, 1),
        ("draft", 8, 8, 8),
        ("fit", 60, 120, 68),
        ("refine", 1, 100, 129),
        ("refine", 100, 100, 228),
    )
    seen = [Progress().after(Stepped(*moment, 0, 1.0, 1.0, 1.0, 1.0)) for moment in moments]
    assert {total_steps(SPEC, progress) for progress in (Progress(), *seen)} == {228}


def test_a_step_that_was_taken_back_is_one_more() -> None:
    back = Progress().after(Stepped("refine", 40, 100, 188, 0, 1.0, 1.0, 1.0, 1.0))
    assert total_steps(SPEC, back) == 248


def test_without_a_draft_there_is_refining_alone() -> None:
    spec = RunSpec("a red mug", start="ball", refine_steps=30)
    assert steps_ahead(spec, "") == {"refine": 30} and steps_ahead(spec, "refine") == {}
    assert steps_ahead(SPEC, "draft") == {"fit": 120, "refine": 100}
    assert steps_ahead(SPEC, FINISH) == {}


def test_a_budget_of_time_bounds_what_refining_still_takes() -> None:
    spec = RunSpec(
        "a red mug",
        start="draft",
        sampling_steps=8,
        fit_steps=120,
        refine_steps=10_000,
        time_budget_seconds=60,
    )
    progress = Progress().after(Stepped("draft", 4, 8, 4, 0, 1.0, 1.0, 1.0, 1.0))
    left = seconds_left(spec, progress, Pace().after("draft", 0.12).after("draft", 0.12), {})
    assert left == pytest.approx(0.12 * 4 + 0.12 / 1.6 * (0.18 * 120 + 15) + 60)
    within = Progress().after(Stepped("refine", 50, 10_000, 178, 0, 1.0, 1.0, 12.0, 1.0))
    assert seconds_left(spec, within, Pace().after("refine", 0.1), {}) == pytest.approx(12 + 1.5)


def test_before_the_first_step_nothing_is_said() -> None:
    assert Pace().means() == {} and with_eta(Progress(eta_seconds=3.0), SPEC, Pace(), {}).eta_seconds == 3.0
