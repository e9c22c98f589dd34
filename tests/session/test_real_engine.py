"""The session with the real run, renderer and files, on a prior whose answer is known."""

from __future__ import annotations

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
    return Settings(quick_spec(backend="torch", splats=100, fit_steps=10, refine_steps=refine_steps), quick_knobs())


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


def test_a_run_goes_on_in_the_next_session_and_its_result_can_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.loop.run.CHECKPOINT_SECONDS", 0.0)
    with open_session(tmp_path) as session:
        token = session.submit(settings(15), "ada")
        eventually(lambda: session.view(token).total_step > 5)  # some way into the fit, past the four draft steps
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
