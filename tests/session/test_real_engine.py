"""The session with the real run, renderer and files, on a prior whose answer is known."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from engine.core.camera import orbit_camera
from engine.loop import checkpoint, frames
from engine.loop.messages import Finished
from engine.loop.recipe import Recipe
from engine.loop.results import write_results
from engine.loop.run import run
from engine.loop.settings import Settings
from engine.session import Frame, Session
from tests.loop.balls import ball_prior, quick_knobs, quick_spec
from tests.session.fakes import eventually

CAMERA = orbit_camera(30.0, 15.0, 3.05, 40.0, 48)
PATIENCE = 60.0


def settings(refine_steps: int) -> Settings:
    return Settings(
        quick_spec(backend="torch", splats=100, fit_steps=10, refine_steps=refine_steps), quick_knobs()
    )


def open_session(folder: Path) -> Session:
    def only_numbers(finished: Finished, prior_id: str, folder: Path) -> dict[str, Path]:
        return write_results(finished, prior_id, folder, formats=())

    return Session(folder, run, frames, only_numbers, ball_prior, load_copy=checkpoint.load_copy)


def test_a_slider_shows_in_the_picture_and_in_the_recipe(tmp_path: Path) -> None:
    with open_session(tmp_path) as session:
        token = session.submit(settings(2000), "ada")
        frame = session.frame(token, "me", CAMERA, -1, PATIENCE)
        assert isinstance(frame, Frame) and frame.rgb.shape == (48, 48, 3) and np.ptp(frame.rgb) > 0
        revision = session.set_knobs(token, {"anchor_weight": 3.0, "views_per_step": 1})
        while frame.revision < revision:
            frame = session.frame(token, "me", CAMERA, frame.serial, PATIENCE)
        applied_at_step = session.view(token).applied_at_step
        assert applied_at_step <= frame.total_step
        session.stop(token)
        view = session.wait(token, PATIENCE)
        assert view.state == "stopped" and view.total_step < 2000 and view.files["result"].is_file()
        recipe = Recipe.from_toml(view.files["recipe"].read_text())
        assert recipe.settings == session.settings(token)
        (change,) = recipe.changes
        assert (change.total_step, change.revision) == (applied_at_step, revision)
        assert dict(change.values) == {"anchor_weight": 3.0, "views_per_step": 1}
        assert session.cloud(token, -1).centers.shape == (100, 3)


def test_a_run_goes_on_in_the_next_session_and_its_result_can_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.loop.live_run.CHECKPOINT_SECONDS", 0.0)
    with open_session(tmp_path) as session:
        token = session.submit(settings(15), "ada")
        # some way into the fit, past the four draft steps
        eventually(lambda: session.view(token).total_step > 5)
        session.pause(token)
        revision = session.set_knobs(token, {"anchor_weight": 3.0})
    with open_session(tmp_path) as session:
        reached = session.view(token).total_step
        assert session.view(token).state == "paused" and 0 < reached < 4 + 10 + 15
        session.resume(token)
        view = session.wait(token, PATIENCE)
        assert (view.state, view.total_step, view.revision_applied) == ("done", 4 + 10 + 15, revision)
        assert [step for step, _ in view.losses] == list(range(1, 30))
        seen = session.frame(token, "me", CAMERA, -1, PATIENCE)
    with open_session(tmp_path) as session:
        again = session.frame(token, "me", CAMERA, -1, PATIENCE)
        assert again.total_step == seen.total_step == 29 and (again.rgb == seen.rgb).all()


@pytest.fixture
def every_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step leaves a checkpoint, and each of these is a moment to go back to."""
    monkeypatch.setattr("engine.loop.live_run.CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr("engine.session.timeline_keeper.FULL_SECONDS", 0.0)


def shape_of(session: Session, token: str) -> dict[str, np.ndarray]:
    return checkpoint.scene_of(checkpoint.load(session.library.folder(token))).to_arrays()


def full_moments(session: Session, token: str) -> list[int]:
    return [each.total_step for each in session.branches.timeline(token).moments if each.full]


@pytest.mark.heavy
def test_a_branch_with_the_same_settings_ends_as_its_run_did_to_the_bit(
    every_checkpoint: None, tmp_path: Path
) -> None:
    with open_session(tmp_path) as session:
        token = session.submit(settings(15), "ada")
        assert session.wait(token, PATIENCE).state == "done"
        assert len(session.branches.timeline(token).moments) > 5, "looked at or not, moments have pictures"
        assert all(
            session.branches.has_picture(token, each.total_step)
            for each in session.branches.timeline(token).moments
        )
        same, other = (session.branches.fork(token, full_moments(session, token)[-1], "ada",
            values) for values in (
            {}, {"anchor_weight": 4.0}))  # fmt: skip
        for branch in (same, other):
            assert (session.wait(branch, PATIENCE).state, session.view(branch).total_step) == ("done", 29)
        before, after, changed = (shape_of(session, each) for each in (token, same, other))
        assert all(np.array_equal(before[name], after[name]) for name in before)
        assert any(not np.array_equal(before[name], changed[name]) for name in before)
        recipe = Recipe.from_toml(session.files(other)["recipe"].read_text())
        assert recipe.changes[-1].values == {"anchor_weight": 4.0}


def test_a_run_that_goes_back_is_within_a_second_where_it_was(every_checkpoint: None, tmp_path: Path) -> None:
    with open_session(tmp_path) as session:
        token = session.submit(settings(3000), "ada")
        eventually(lambda: session.view(token).total_step > 60)
        session.pause(token)
        eventually(lambda: session.view(token).state == "paused")
        back, reached = full_moments(session, token)[0], session.view(token).total_step
        began = time.monotonic()
        session.branches.rewind(token, back)
        eventually(
            lambda: (
                back < session.view(token).total_step < reached
                or session.view(token).total_step > reached + 50
            )
        )
        assert session.view(token).total_step < reached
        assert time.monotonic() - began < 5.0, "a second on a machine that does nothing else"
        session.stop(token)
        assert session.wait(token, PATIENCE).state == "stopped"


@pytest.mark.heavy
def test_a_draft_goes_on_as_if_it_had_never_been_held(tmp_path: Path) -> None:
    with open_session(tmp_path) as session:
        straight = session.submit(settings(12), "ada")
        held = session.submit(settings(12), "ada", waits_before="refine")
        assert session.wait(straight, PATIENCE).state == "done"
        eventually(lambda: session.view(held).state == "paused")
        session.resume(held)
        assert session.wait(held, PATIENCE).state == "done"
        one, other = (shape_of(session, each) for each in (straight, held))
        assert all(np.array_equal(one[name], other[name]) for name in one)
