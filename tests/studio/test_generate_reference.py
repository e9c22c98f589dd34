"""``generate --reference``: from a model's file to results, and again from their recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import trimesh

from engine.assets.meshes.blocks import Block, text_of
from engine.loop.recipe import Recipe
from engine.loop.settings import Settings
from engine.session.input_files import with_own_files
from studio.cli import EXIT_BAD_INPUT, main

QUICK = [
    "--set",
    "sampling_steps=2",
    "--set",
    "fit_steps=10",
    "--set",
    "refine_steps=1",
    "--set",
    "splats=200",
    "--quiet",
]
ONLY = ["--formats", "png"]
MUG = ["generate", "--prompt", "a red mug"]


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "block.glb"
    trimesh.creation.box((1, 2, 1)).export(path)
    return path


@pytest.fixture(scope="module")
def made(block: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "mug"
    asked = ["--reference", str(block), "--reference-strength", "0.8", "--set", "reference_gate=open"]
    assert main([*MUG, *asked, "--out", str(out), *QUICK, *ONLY]) == 0
    return out


def settings_of(result: Path) -> Settings:
    return Recipe.from_toml((result / "recipe.toml").read_text()).settings


def test_the_result_holds_its_reference_and_strength(made: Path, block: Path) -> None:
    spec, knobs = settings_of(made).spec, settings_of(made).knobs
    assert (knobs.reference_early, knobs.reference_late) == (0.8, 0.8)
    assert (made / spec.reference.split("#")[0]).read_bytes() == block.read_bytes()


def test_the_recipe_makes_the_same_again_and_without_the_reference_it_is_another(
    made: Path, block: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = ["generate", "--recipe", str(made / "recipe.toml"), "--quiet", *ONLY]
    assert main([*recipe, "--out", "again"]) == 0
    assert main([*recipe, "--reference-curve", "0:0", "--out", "without"]) == 0
    views = [
        (folder / "views.png").read_bytes() for folder in (made, tmp_path / "again", tmp_path / "without")
    ]
    assert views[0] == views[1] != views[2]


def test_a_run_of_the_page_keeps_its_own_copy(made: Path, block: Path, tmp_path: Path) -> None:
    asked = settings_of(made)
    own = with_own_files(replace(asked, spec=replace(asked.spec, reference=str(block))), tmp_path)
    path = Path(own.spec.reference.split("#")[0])
    assert path.is_relative_to(tmp_path) and path.read_bytes() == block.read_bytes()


def test_a_build_of_blocks_is_a_reference(tmp_path: Path) -> None:
    build = tmp_path / "chair.json"
    build.write_text(
        text_of((Block("box", (0, 0, 0.5), (1, 1, 0.1)), Block("cylinder", (0, 0, 0.25), (0.2, 0.2, 0.5))))
    )
    preset = ["--preset", "reference-blocks", "--prompt", "a chair", "--reference", str(build)]
    assert main(["generate", *preset, "--out", str(tmp_path / "out"), *QUICK, *ONLY]) == 0
    assert (
        tmp_path / "out" / settings_of(tmp_path / "out").spec.reference.split("#")[0]
    ).read_text() == build.read_text()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--reference", "gone.glb"], "not there"),
        (["--reference-curve", "1:0,0:1"], "curve"),
        (["--reference-strength", "3"], "reference_early"),
    ],
)
def test_bad_references_are_told_before_the_work(asked: list[str], told: str, tmp_path: Path, capsys) -> None:
    assert main([*MUG, *asked, "--out", str(tmp_path / "out"), *QUICK]) == EXIT_BAD_INPUT
    assert told in capsys.readouterr().err
