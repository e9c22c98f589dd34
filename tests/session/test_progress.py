"""The loss history stays small and true, and progress follows the events."""

from __future__ import annotations

import numpy as np
import pytest

from engine.loop.messages import KnobsApplied, RolledBack, StageStarted, Stepped
from engine.loop.spec import Knobs
from engine.session.progress import MAX_POINTS, History, Progress


def stepped(total_step: int, loss: float = 1.0, revision: int = 0, **metrics: float) -> Stepped:
    return Stepped("refine", total_step, 100, total_step, revision, loss, 2.0, 3.0, 4.0, metrics)


def history_of(steps: range) -> History:
    history = History()
    for step in steps:
        history = history.with_number(step, 1 / step)
    return history


@pytest.mark.parametrize("steps", [1, 50, 199, 200, 201, 1000, 20000])
def test_history_is_bounded_even_covers_the_run_and_ends_with_the_newest(steps: int) -> None:
    points = history_of(range(1, steps + 1)).shown()
    numbers = np.array([step for step, _ in points])
    assert len(points) <= MAX_POINTS and (np.diff(numbers) > 0).all()
    assert points[-1] == (steps, 1 / steps) and all(loss == 1 / step for step, loss in points)
    if steps < MAX_POINTS:
        assert len(points) == steps
    else:
        assert len(points) >= MAX_POINTS // 2
        assert len(set(np.diff(numbers[:-1]))) == 1


def test_going_back_forgets_what_no_longer_happened() -> None:
    points = history_of(range(1, 11)).with_number(6, 60.0).shown()
    assert [step for step, _ in points] == [1, 2, 3, 4, 5, 6] and points[-1] == (6, 60.0)


@pytest.mark.parametrize("first", [1, 122, 123])
def test_a_number_that_is_told_now_and_then_is_kept_wherever_it_begins(first: int) -> None:
    history = History()
    for step in range(first, first + 10 * 5000, 10):
        history = history.with_number(step, float(step))
    numbers = [step for step, _ in history.shown()]
    assert MAX_POINTS // 2 <= len(numbers) <= MAX_POINTS
    assert numbers[0] == first and numbers[-1] == first + 10 * 4999


def test_losses_that_are_not_finite_are_left_out() -> None:
    history = History().with_number(1, 1.0).with_number(2, float("nan")).with_number(3, float("inf"))
    assert history.shown() == ((1, 1.0),)


def test_progress_follows_the_events() -> None:
    progress = Progress()
    for event in (
        StageStarted("fit", 120),
        KnobsApplied(3, 8, Knobs()),
        stepped(8, revision=3, norm=0.5, bad=float("nan")),
    ):
        progress = progress.after(event)
    assert (progress.stage, progress.step, progress.steps, progress.total_step) == ("refine", 8, 100, 8)
    assert (progress.revision_applied, progress.applied_at_step) == (3, 8)
    assert progress.metrics == {"norm": 0.5} and progress.traces == {}
    assert progress.after(RolledBack("it emptied", 2)) == progress


def test_the_course_of_a_reference_is_kept_between_the_steps_that_tell_of_it() -> None:
    progress = Progress()
    for step in range(1, 31):
        now_and_then = {"reference_similarity": step / 100} if step % 10 == 0 else {}
        progress = progress.after(stepped(step, reference_strength=0.5, noise=0.1, **now_and_then))
    assert set(progress.traces) == {"reference_similarity", "reference_strength"}
    assert progress.traces["reference_similarity"].shown() == ((10, 0.1), (20, 0.2), (30, 0.3))
    assert len(progress.traces["reference_strength"].shown()) == 30
    progress = progress.after(stepped(12, reference_strength=0.5))
    assert progress.traces["reference_strength"].shown()[-1] == (12, 0.5), "the run was rolled back"
    assert progress.traces["reference_similarity"].shown() == ((10, 0.1),)
