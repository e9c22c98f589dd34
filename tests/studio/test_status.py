"""A run as JSON: safe numbers, a thinned curve, files with titles and sizes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session import Session
from studio.status import PLOT_POINTS, file_of, status_of, thinned


@pytest.mark.parametrize("count", [0, 1, 2, PLOT_POINTS, PLOT_POINTS + 1, 5000])
def test_a_thinned_curve_keeps_its_end_and_its_order(count: int) -> None:
    losses = [(step, 1 / (step + 1)) for step in range(count)]
    points = thinned(losses)
    assert len(points) <= PLOT_POINTS and len(points) == min(count, len(points))
    assert [step for step, _ in points] == sorted(step for step, _ in points)
    assert not losses or points[-1][0] == losses[-1][0]
    assert count > PLOT_POINTS or [step for step, _ in points] == [step for step, _ in losses]


def test_losses_that_are_not_finite_are_left_out() -> None:
    assert thinned([(1, 0.5), (2, math.nan), (3, math.inf), (4, 0.25)]) == [[1, 0.5], [4, 0.25]]


def test_every_status_is_plain_json(session: Session) -> None:
    token = session.submit(Settings(RunSpec("a red mug", refine_steps=3), Knobs()), "ada")
    view = session.wait(token, 60)
    odd = replace(
        view,
        eta_seconds=math.inf,
        steps_per_second=math.nan,
        metrics={"norm": math.nan},
        error=("what", "remedy"),
    )
    status = json.loads(json.dumps(status_of(odd), allow_nan=False))
    assert (
        status["eta_seconds"] is None
        and status["steps_per_second"] is None
        and status["metrics"] == {"norm": None}
    )
    assert status["error"] == ["what", "remedy"] and status["state"] == "done" and status["scene"] == "splats"
    assert {file["name"]: file["bytes"] for file in status["files"]} == {
        n: p.stat().st_size for n, p in view.files.items()
    }


@pytest.mark.parametrize(("steps", "stages"), [(0, ["refine"]), (10, ["refine", "sharpen"])])
def test_the_stages_of_a_run_are_named(session: Session, steps: int, stages: list[str]) -> None:
    """The page draws a bar for each, and none for what is not asked for."""
    spec = RunSpec("a red mug", start="ball", refine_steps=3, sharpen_steps=steps)
    view = session.wait(session.submit(Settings(spec, Knobs()), "ada"), 60)
    assert status_of(view)["stages"] == stages


def test_a_file_that_was_deleted_is_not_offered(session: Session) -> None:
    token = session.submit(Settings(RunSpec("a red mug", refine_steps=3), Knobs()), "ada")
    view = session.wait(token, 60)
    view.files["ply"].unlink()
    assert [file["name"] for file in status_of(view)["files"]] == ["recipe"]


@pytest.mark.parametrize(
    ("name", "title"), [("mesh.glb", "Mesh"), ("scene.ply", "Splats"), ("odd.xyz", "odd")]
)
def test_files_have_names_for_people(tmp_path: Path, name: str, title: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"12345")
    assert file_of("key", path) == {
        "name": "key",
        "title": title,
        "kind": path.suffix[1:].upper(),
        "bytes": 5,
    }
