"""The playground at a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from engine.assets.export import read_recipe
from engine.loop.recipe import Recipe
from studio.cli import EXIT_BAD_INPUT, EXIT_FAILED, EXIT_INTERRUPTED, main

QUICK = ["--prompt", "a red mug", "--steps", "2", "--quiet"]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("playground") / "mug"
    arguments = [
        *QUICK,
        "--methods",
        "sds,lods",
        "--guidance",
        "2.5,200",
        "--seed",
        "3",
        "--film",
        "--out",
        str(out),
    ]
    assert main(["playground", *arguments]) == 0
    return out


def test_everything_is_written(made: Path) -> None:
    numbers = json.loads((made / "numbers.json").read_text(encoding="utf-8"))
    cells = {(cell["method"], cell["guidance_scale"]): cell for cell in numbers["cells"]}
    assert len(cells) == 4 and numbers["settings"]["seed"] == 3
    assert len(cells["sds", 2.5]["losses"]) == 2 and cells["sds", 2.5]["numbers"]["forwards_per_step"] == 2
    assert "from 1 to 100" in cells["sds", 200.0]["trouble"] and not cells["lods", 200.0]["trouble"]
    assert Image.open(made / "sheet.png").width > 600 and (made / "film.mp4").stat().st_size > 1000
    assert "| SDS | 2.5 |" in (made / "numbers.md").read_text(encoding="utf-8")


def test_a_cell_holds_its_recipe(made: Path) -> None:
    pictures = sorted((made / "cells").glob("*/picture.png"))
    assert len(pictures) == 3
    spec = Recipe.from_toml(read_recipe(pictures[-1])).settings.spec
    assert (spec.prompt, spec.scene, spec.seed, spec.draft_views) == ("a red mug", "canvas", 3, 1)


def test_the_same_command_takes_finished_cells_and_keeps_earlier_sheets(made: Path, capsys) -> None:
    before = {path: path.stat().st_mtime_ns for path in (made / "cells").rglob("*.npz")}
    arguments = [*QUICK, "--methods", "sds,lods", "--guidance", "2.5,7.5", "--seed", "3", "--out", str(made)]
    assert main(["playground", *arguments]) == 0
    after = {path: path.stat().st_mtime_ns for path in (made / "cells").rglob("*.npz")}
    assert all(after[path] == written for path, written in before.items()) and len(after) == len(before) + 2
    assert (made / "earlier-1" / "sheet.png").exists()


def test_an_interruption_leaves_a_sheet_of_what_is_there(tmp_path: Path, monkeypatch, capsys) -> None:
    from studio.commands import playground

    whole = playground.play

    def interrupted(grid, prior, folder):
        events = whole(grid, prior, folder)
        yield from (next(events) for _ in range(3))  # two steps and the first painting
        raise KeyboardInterrupt

    monkeypatch.setattr(playground, "play", interrupted)
    assert (
        main(["playground", *QUICK, "--methods", "sds", "--guidance", "1,2", "--out", str(tmp_path)])
        == EXIT_INTERRUPTED
    )
    assert (tmp_path / "sheet.png").exists() and len(
        json.loads((tmp_path / "numbers.json").read_bytes())["cells"]
    ) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--methods", "magic"], "magic"),
        (["--guidance", "high"], "high"),
        (["--guidance", "0.5"], "No cell"),
        (["--steps", "0"], "1 step or more"),
        (["--steps", "-3"], "1 step or more"),
        (["--set", "colour=red"], "colour"),
        (["--set", "nonsense"], "KNOB=VALUE"),
        (["--prior", "nothing"], "nothing"),
        (["--prompt", " "], "empty"),
    ],
)
def test_bad_input_is_told_without_a_traceback(
    arguments: list[str], said: str, tmp_path: Path, capsys
) -> None:
    assert (
        main(["playground", *QUICK, "--methods", "sds", *arguments, "--out", str(tmp_path / "out")])
        == EXIT_BAD_INPUT
    )
    told = capsys.readouterr().err
    assert said in told and "try:" in told and "Traceback" not in told


def test_a_prior_that_is_not_installed_says_how_to_get_it(tmp_path: Path, capsys) -> None:
    assert (
        main(["playground", *QUICK, "--prior", "stable-diffusion-1.5", "--out", str(tmp_path)]) == EXIT_FAILED
    )
    assert "--fetch stable-diffusion-1.5" in capsys.readouterr().err
