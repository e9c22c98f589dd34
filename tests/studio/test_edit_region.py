"""``edit --region`` and ``--undo``: bad input is told before anything is written, and what was is given back
to the bit.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.assets.export.ply import read_splat_ply, sh0_from_rgb, write_splat_ply
from engine.loop.recipe import Recipe
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.scene.splats import random_ball
from studio.cli import main
from studio.commands import edit_region, generate


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """The folder of a result, with its splats alone."""
    folder = tmp_path / "mug"
    folder.mkdir()
    ball = random_ball(300, 0.6, 0.05, torch.Generator().manual_seed(0), opacity=0.8)
    parts = [part.numpy() for part in (ball.means, ball.scales, ball.unit_quats, ball.opacities, ball.rgb)]
    recipe = Recipe(Settings(RunSpec("a red mug"), Knobs())).to_toml()
    write_splat_ply(folder / "scene.ply", *parts[:4], sh0_from_rgb(parts[4]), recipe=recipe)
    return folder


def command(result: Path, *more: str) -> list[str]:
    return ["edit", "--from", str(result), "--quiet", *more]


def test_a_change_is_a_run_from_the_scene_that_is_kept_beside_it(
    result: Path, tmp_path: Path, monkeypatch
) -> None:
    made: list = []
    monkeypatch.setattr(edit_region, "make", made.append)
    out = tmp_path / "blue"
    more = [
        "--region",
        "y=0.2:1",
        "--region",
        "z=0.5:1",
        "--prompt",
        "a red mug with a blue handle",
        "--out",
        str(out),
    ]
    assert main(command(result, *more, "--seed", "4", "--set", "refine_steps=7")) == 0
    (options,) = made
    spec = generate.settings_from(options).spec
    assert (spec.start, spec.seed, spec.refine_steps, spec.prior) == ("file", 4, 7, "toybox")
    assert (
        spec.region.count(";") == 1
        and Path(spec.start_file).read_bytes() == (result / "scene.ply").read_bytes()
    )
    assert Path(spec.start_file).parent == out.absolute()


def test_undo_writes_what_was_to_the_bit(result: Path, tmp_path: Path) -> None:
    (result / "before.ply").write_bytes((result / "scene.ply").read_bytes())
    out = tmp_path / "undone"
    assert main(command(result, "--undo", "--out", str(out))) == 0
    assert (out / "scene.ply").read_bytes() == (result / "before.ply").read_bytes()
    assert 'prompt = "a red mug"' in (out / "recipe.toml").read_text() and (out / "mesh.glb").is_file()
    assert len(read_splat_ply(out / "scene.ply").means) == 300


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--region", "y=0.2:1"], "words of its own"),
        (["--region", "y=0.2:1", "--prompt", "a mug", "--paint", "a mug"], "words of its own"),
        (["--region", "top", "--prompt", "a mug"], "no axis"),
        (["--undo"], "keeps no scene"),
    ],
)
def test_what_makes_no_sense_is_told_and_nothing_is_written(
    result: Path, tmp_path: Path, capsys, more: list, told: str
) -> None:
    before = sorted(path.name for path in result.iterdir())
    assert main(command(result, *more, "--out", str(tmp_path / "out"))) in (1, 2)
    assert told in capsys.readouterr().err and not (tmp_path / "out").exists()
    assert main(command(result, *more, "--out", str(result))) in (1, 2)
    assert sorted(path.name for path in result.iterdir()) == before, "the source stays as it is"
