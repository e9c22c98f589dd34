"""A run that repeats a recipe makes its live changes by itself, at their steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import InputError
from engine.loop.messages import KnobsApplied
from engine.loop.recipe import Change
from engine.session import Session
from engine.session.record import JobRecord, from_json, to_json
from engine.session.scheduled import changes_of, rows_of, with_due, with_schedule
from tests.session.fakes import PATIENCE_SECONDS, FakeRun, settings_of

CHANGES = (Change(1, 1, {"guidance_scale": 3.0}), Change(4, 2, {"guidance_scale": 6.0, "anchor_weight": 0.2}))


def test_changes_are_made_at_their_steps_and_kept_in_the_timeline(session: Session) -> None:
    applied: list[tuple[int, float]] = []
    session._engine._timelines.applied = lambda record, event: applied.append(_of(event))  # type: ignore[method-assign]
    token = session.submit(settings_of(steps=6), "ada", schedule=CHANGES)
    view = session.wait(token, PATIENCE_SECONDS)
    assert view.state == "done" and applied == [(1, 3.0), (4, 6.0)]
    assert view.knobs.guidance.guidance_scale == 6.0 and view.knobs.anchor_weight == 0.2
    assert session._board.get(token).record.schedule == ()


def _of(event: KnobsApplied) -> tuple[int, float]:
    return event.total_step, event.knobs.guidance.guidance_scale


def test_what_is_still_due_outlives_the_process(open_session, run: FakeRun) -> None:
    first = open_session()
    run.hold()
    token = first.submit(settings_of(steps=6), "ada", schedule=CHANGES)
    run.allow(2)
    run_to = lambda: first.view(token).total_step >= 2  # noqa: E731
    from tests.session.fakes import eventually

    eventually(run_to)
    run.free()
    first.close()
    second = open_session()
    view = second.wait(token, PATIENCE_SECONDS)
    assert view.state == "done" and view.knobs.anchor_weight == 0.2


def test_a_schedule_is_kept_with_the_record_and_odd_ones_are_refused() -> None:
    settings = settings_of()
    record = with_schedule(JobRecord("t", "ada", 1.0, settings, settings.knobs), CHANGES)
    again = from_json(to_json(record))
    assert rows_of(again.schedule) == rows_of(CHANGES) and changes_of(rows_of(CHANGES)) == CHANGES
    assert with_due(replace(again, schedule=()), 9) == replace(again, schedule=())
    with pytest.raises(InputError):
        with_schedule(record, [Change(1, 1, {"splats": 7})])
    with pytest.raises(InputError):
        with_schedule(record, [Change(1, 1, {"guidance_scale": "much"})])
    for odd in ([[1]], [["a", {}]], [[1, 2]], [[-1, {}]], [[True, {}]], [3]):
        with pytest.raises((ValueError, TypeError)):
            changes_of(odd)
