"""The course of a run: moments that are looked back at, gone back to, and branched; bounded, and kept on
disk.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import InputError
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session import Session
from engine.session.timeline import (
    FOLDER,
    LISTING,
    MOST_FULL,
    MOST_PICTURES,
    Change,
    Moment,
    Timeline,
    full_path,
    picture_path,
    put_back,
    read_timeline,
    save_full,
    save_pictures,
    write_timeline,
)
from tests.session.fakes import FakeRun, eventually

CAMERA_SIZE = 32


def moments(*steps: int, full: tuple[int, ...] = ()) -> Timeline:
    return Timeline(tuple(Moment(step, "refine", step, 0, step in full) for step in steps))


def steps_of(timeline: Timeline) -> list[int]:
    return [each.total_step for each in timeline.moments]


def test_of_too_many_moments_those_go_that_leave_the_smallest_gaps() -> None:
    many = moments(*range(1, 200), full=(7, 150))
    kept = many.thinned(lambda moment: 1)
    steps = np.array(steps_of(kept))
    assert len(steps) == MOST_PICTURES and {1, 7, 150, 199} <= set(steps)
    assert np.diff(steps).max() <= 4 * 200 / MOST_PICTURES, "they are spread over the run"


def test_of_too_many_full_moments_the_newest_stays_and_the_others_are_spread() -> None:
    timeline = moments(*range(10, 210, 10), full=tuple(range(10, 210, 10)))
    kept = [each.total_step for each in timeline.thinned(lambda moment: 1).moments if each.full]
    assert len(kept) == MOST_FULL and kept[-1] == 200 and kept[0] <= 60
    huge = [each.total_step for each in timeline.thinned(lambda moment: 1 << 40).moments if each.full]
    assert huge == [200], "one is kept whatever it takes"


def test_a_moment_that_is_held_is_not_thinned_out_until_later_ones_are() -> None:
    timeline = moments(10, full=(10,)).holding(10).holding(99)
    for step in range(11, 200):
        timeline = timeline.with_moment(Moment(step, "refine", step, 0, True)).thinned(lambda moment: 1)
    kept = [each.total_step for each in timeline.moments if each.full]
    assert 10 in kept and kept[-1] == 199 and len(kept) == MOST_FULL
    huge = timeline.thinned(lambda moment: 1 << 40)
    assert [each.total_step for each in huge.moments if each.full] == [10, 199]
    later = timeline.holding(199).holding(kept[1])
    assert later.held == (199, kept[1]) and later.until(150).held == tuple(s for s in later.held if s <= 150)
    assert 10 not in [each.total_step for each in later.thinned(lambda moment: 1 << 40).moments if each.full]


def test_a_light_moment_that_is_held_stays_a_picture() -> None:
    timeline = moments(1, 2, 3).holding(2)
    for step in range(4, 200):
        timeline = timeline.with_moment(Moment(step, "refine", step, 0)).thinned(lambda moment: 1)
    assert timeline.moment(2) is not None and len(timeline.moments) == MOST_PICTURES


def test_a_slider_that_is_dragged_is_one_change() -> None:
    timeline = Timeline()
    for step, values in ((5, {"a": 1}), (6, {"a": 2}), (9, {"a": 3}), (10, {"b": 1}), (90, {"b": 2})):
        timeline = timeline.with_change(Change(step, values))
    assert timeline.changes == (Change(5, {"a": 3}), Change(10, {"b": 1}), Change(90, {"b": 2}))
    assert timeline.until(10).changes == (Change(5, {"a": 3}), Change(10, {"b": 1}))


def test_files_that_no_moment_names_are_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"state")
    (tmp_path / "checkpoint.previous.pt").write_bytes(b"older")
    for step in range(1, MOST_PICTURES + 9):
        save_pictures(tmp_path, step, np.zeros((8, 16, 16, 3), np.uint8))
        save_full(tmp_path, step)
        write_timeline(
            tmp_path,
            read_timeline(tmp_path).with_moment(Moment(step, "refine", step, 0, True, {"t_max": 0.5})),
        )
    kept = read_timeline(tmp_path)
    full = [each for each in kept.moments if each.full]
    assert (len(kept.moments), len(full)) == (MOST_PICTURES, MOST_FULL)
    assert (
        len(list((tmp_path / FOLDER).glob("*.jpg"))) == MOST_PICTURES
        and len(list((tmp_path / FOLDER).glob("*.pt"))) == MOST_FULL
    )
    assert Image.open(picture_path(tmp_path, full[0].total_step)).size == (8 * 16, 16)
    (tmp_path / "checkpoint.pt").unlink()
    put_back(tmp_path, full[0].total_step, tmp_path)
    assert (tmp_path / "checkpoint.pt").read_bytes() == b"state" and not (
        tmp_path / "checkpoint.previous.pt"
    ).exists()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"moments": [3], "changes": []}', '{"moments": [{"total_step": "x"}], "changes": []}'],
)
def test_a_broken_timeline_is_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / LISTING).write_text(text)
    assert read_timeline(tmp_path) == Timeline() and full_path(tmp_path, 3) is None


def held(session: Session, run: FakeRun, steps: int = 40) -> str:
    """A run of ada's that waits for permits."""
    run.hold()
    return session.submit(
        Settings(RunSpec("a red mug", refine_steps=steps, words="as they are"), Knobs()), "ada"
    )


def at_step(session: Session, run: FakeRun, token: str, step: int) -> None:
    run.allow(step - session.view(token).total_step)
    eventually(
        lambda: (
            session.view(token).total_step >= step
            and session.branches.timeline(token).moment(step) is not None
        )
    )


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every checkpoint is kept."""
    monkeypatch.setattr("engine.session.timeline_keeper.FULL_SECONDS", 0.0)


def test_a_run_goes_back_and_on_from_there_with_the_settings_of_then(
    quick: None, session: Session, run: FakeRun
) -> None:
    token = held(session, run)
    at_step(session, run, token, 5)
    session.set_knobs(token, {"guidance_scale": 7.0})
    at_step(session, run, token, 12)
    session.set_knobs(token, {"guidance_scale": 50.0})
    at_step(session, run, token, 15)
    assert [change.values for change in session.branches.timeline(token).changes] == [
        {"guidance_scale": 50.0}
    ]
    fulls = [each.total_step for each in session.branches.timeline(token).moments if each.full]
    back = max(step for step in fulls if 6 <= step <= 12)
    session.branches.rewind(token, back)
    run.allow(2)  # the step that it waits in, and the first one from there
    eventually(lambda: session.view(token).total_step == back + 1 and session.view(token).revision == 1)
    assert session.knobs(token).guidance.guidance_scale == 7.0
    assert run.begun == [("a red mug", False), ("a red mug", True)]
    run.free()
    assert session.wait(token, 30).state == "done"
    assert session.view(token).total_step == 40


def test_a_moment_that_somebody_looks_at_can_still_be_branched_much_later(
    quick: None, session: Session, run: FakeRun
) -> None:
    token = held(session, run, steps=60)
    at_step(session, run, token, 7)
    looked_at = next(each.total_step for each in session.branches.timeline(token).moments if each.full)
    session.branches.hold(token, looked_at)
    at_step(session, run, token, 12)
    back = max(each.total_step for each in session.branches.timeline(token).moments if each.full)
    session.branches.rewind(token, back)
    run.free()
    assert session.wait(token, 30).state == "done"
    kept = {each.total_step for each in session.branches.timeline(token).moments if each.full}
    assert {looked_at, back} <= kept and len(kept) <= MOST_FULL
    assert session.wait(session.branches.fork(token, looked_at, "ada", {}), 30).state == "done"


def test_a_paused_run_goes_on_when_it_is_put_back(quick: None, session: Session, run: FakeRun) -> None:
    token = held(session, run)
    at_step(session, run, token, 6)
    session.pause(token)
    session.branches.rewind(token, 3)
    run.free()
    assert session.wait(token, 30).state == "done"
    assert [step for _, step in run.trace].count(5) == 2, "it was taken twice"


def test_a_branch_is_a_run_of_its_own_and_leaves_the_old_one_as_it_is(
    quick: None, session: Session, run: FakeRun
) -> None:
    token = held(session, run, steps=20)
    at_step(session, run, token, 8)
    run.free()
    assert session.wait(token, 30).state == "done"
    before = json.dumps(session.view(token).settings.spec.seed), session.files(token), run.trace.copy()
    branch = session.branches.fork(token, 8, "bob", {"guidance_scale": 9.0})
    view = session.wait(branch, 30)
    assert (view.state, view.total_step, session.knobs(branch).guidance.guidance_scale) == ("done", 20, 9.0)
    assert [step for _, step in run.trace[len(before[2]) :]] == list(range(9, 21)), "it begins after step 8"
    assert session.files(token) == before[1] and session.jobs("bob")[0].token == branch


def test_what_cannot_be_gone_back_to_is_refused(quick: None, session: Session, run: FakeRun) -> None:
    token = held(session, run, steps=6)
    run.free()
    session.wait(token, 30)
    for act in (
        lambda: session.branches.rewind(token, 99),
        lambda: session.branches.fork(token, 99, "ada", {}),
    ):
        with pytest.raises(InputError, match="was not kept"):
            act()
    kept = next(each.total_step for each in session.branches.timeline(token).moments if each.full)
    with pytest.raises(InputError, match="has ended"):
        session.branches.rewind(token, kept)
    with pytest.raises(InputError, match="refine_steps cannot change"):
        session.branches.fork(token, kept, "ada", {"refine_steps": 900})
    with pytest.raises(InputError, match="no run"):
        session.branches.timeline("nobody")


def test_many_branches_of_one_moment(quick: None, session: Session, run: FakeRun) -> None:
    token = held(session, run, steps=6)
    run.free()
    session.wait(token, 30)
    kept = next(each.total_step for each in session.branches.timeline(token).moments if each.full)
    branches = [session.branches.fork(token, kept, "ada", {"guidance_scale": 1.0 + i}) for i in range(24)]
    assert {session.wait(branch, 30).state for branch in branches} == {"done"} and len(set(branches)) == 24
