"""``replay`` of a chain: a run, a part of it changed, its mesh painted, restyled, and changed again; all to
the bit.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import trimesh

from engine.assets.export.ply import read_recipe, read_splat_ply, write_splat_ply
from engine.editing.painting_splats import recolour_ply
from engine.errors import FileFormatError
from engine.loop.edit_recipe import EditRecipe, is_edit
from engine.loop.recipe import EditStep, Recipe
from engine.loop.recipe_chain import chain_in, words_in
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from studio.cli import EXIT_OK, main
from studio.commands.replay import chain_of, glb_body

QUICK = [
    "--set",
    "fit_steps=10",
    "--set",
    "refine_steps=2",
    "--set",
    "sampling_steps=2",
    "--set",
    "splats=300",
]
PAINT = ["--steps", "2", "--views", "2", "--texture-size", "64", "--quiet"]
BOX = ["--region", "z=-1:0"]


def done(*command: object) -> None:
    assert main([str(part) for part in command]) == EXIT_OK


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of five results, each made from the one before; the first one's recipe is all that has to
    remain.
    """
    home = tmp_path_factory.mktemp("chain")
    done("generate", "--prompt", "a red mug", "--out", home / "1", "--formats", "ply,glb", "--quiet", *QUICK)
    region = [
        "edit",
        "--from",
        home / "1",
        *BOX,
        "--prompt",
        "a red mug with a blue handle",
        "--quiet",
        *QUICK,
    ]
    done(*region, "--seed", 3, "--out", home / "2")
    done(
        "edit",
        "--from",
        home / "2" / "mesh.glb",
        "--paint",
        "a green mug",
        "--seed",
        5,
        *PAINT,
        "--out",
        home / "3",
    )
    done("edit", "--from", home / "3", "--restyle", "a blue mug", *PAINT, "--out", home / "4")
    done(
        "edit",
        "--from",
        home / "4" / "mesh_textured.glb",
        *BOX,
        "--prompt",
        "a red mug",
        "--quiet",
        *QUICK,
        "--out",
        home / "5",
    )
    return home


@pytest.mark.heavy
def test_every_file_says_how_it_came_to_be(chain: Path) -> None:
    kinds = [
        each.kind if isinstance(each, EditStep) else "run" for each in chain_of(chain / "5" / "scene.ply")
    ]
    assert kinds == ["run", "run", "paint", "restyle", "splats", "run"]
    restyled = chain_of(chain / "4" / "mesh_textured.glb")[-1]
    assert isinstance(restyled, EditStep) and restyled.values["was"] == "a green mug", (
        "which nobody had to say"
    )
    assert words_in(chain / "4" / "mesh_textured.glb") == "a blue mug"


@pytest.mark.heavy
def test_the_chain_is_made_again_to_the_bit_from_its_last_file_alone(
    chain: Path, tmp_path: Path, capsys
) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(chain / "5" / "scene.ply", alone / "scene.ply")
    done("replay", alone / "scene.ply", "--out", tmp_path / "again", "--formats", "ply", "--quiet")
    assert "bit for bit" in capsys.readouterr().out
    for number, file in enumerate(("scene.ply", "mesh.glb", "mesh_textured.glb", "mesh_textured.glb"), 1):
        one, other = chain / str(number) / file, tmp_path / "again" / "steps" / str(number) / file
        same = glb_body(one) == glb_body(other) if file.endswith("glb") else equal_splats(one, other)
        assert same, f"link {number}"


def equal_splats(one: Path, other: Path) -> bool:
    a, b = read_splat_ply(one), read_splat_ply(other)
    return all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in ("means", "scales", "quats", "sh0")
    )


def test_an_edit_of_ones_own_file_is_made_again_from_it_or_says_that_it_is_gone(
    tmp_path: Path, capsys
) -> None:
    source = tmp_path / "mine" / "box.obj"
    source.parent.mkdir()
    trimesh.creation.box((1, 1, 1)).export(source)
    before, out, blue = source.read_bytes(), tmp_path / "painted", tmp_path / "blue"
    done("edit", "--from", source, "--up", "z", "--paint", "a red house", *PAINT, "--out", out)
    done("edit", "--from", out, "--restyle", "a blue house", *PAINT, "--out", blue)
    done("replay", blue / "mesh_textured.glb", "--out", tmp_path / "again", "--quiet")
    assert "bit for bit" in capsys.readouterr().out and source.read_bytes() == before
    again = tmp_path / "again" / "steps" / "1" / "mesh_textured.glb"
    assert glb_body(out / "mesh_textured.glb") == glb_body(again)
    source.unlink()
    assert main(["replay", str(out / "edit.toml"), "--out", str(tmp_path / "third")]) != EXIT_OK
    told = capsys.readouterr().err
    assert "box.obj" in told and f"Put it beside {out / 'edit.toml'}" in told


def test_recoloured_splats_say_so_and_keep_their_chain(tmp_path: Path) -> None:
    points = np.linspace(0, 1, 30).reshape(10, 3)
    quats = np.tile([1.0, 0, 0, 0], (10, 1))
    parts = (points, np.full((10, 3), 0.1), quats, np.full(10, 0.5), points)
    for long in ("", "x" * 12_000):  # in the header, and behind the splats
        spec = RunSpec("a red mug", negative_prompt=long[:1000])
        write_splat_ply(
            tmp_path / "scene.ply", *parts, recipe=Recipe(Settings(spec, Knobs())).to_toml() + f"# {long}\n"
        )
        edit = EditRecipe(EditStep("recolour", {"prompt": "a blue mug"}), chain_in(tmp_path / "scene.ply"))
        recolour_ply(
            tmp_path / "scene.ply",
            tmp_path / "blue.ply",
            np.zeros((10, 3), np.float32),
            edit.to_toml() + f"# {long}\n",
        )
        assert [type(each) for each in chain_in(tmp_path / "blue.ply")] == [Recipe, EditStep]
        assert words_in(tmp_path / "blue.ply") == "a blue mug" and is_edit(read_recipe(tmp_path / "blue.ply"))
        assert np.array_equal(
            read_splat_ply(tmp_path / "blue.ply").means, read_splat_ply(tmp_path / "scene.ply").means
        )
        assert np.array_equal(read_splat_ply(tmp_path / "blue.ply").sh0, np.zeros((10, 3)))


def test_edit_recipes_survive_their_text_and_odd_ones_are_refused() -> None:
    run = Recipe(Settings(RunSpec("a red mug"), Knobs()))
    edit = EditRecipe(
        EditStep("paint", {"prompt": "a blue mug", "control_strengths": [0.9, 0.7]}),
        (run, EditStep("splats", {})),
    )
    again = EditRecipe.from_toml(edit.to_toml())
    assert again == edit and again.words == "a blue mug"
    assert EditRecipe(EditStep("splats", {}), (run,)).words == "a red mug"
    assert EditRecipe(EditStep("restyle", {"prompt": "make it blue", "instruction": True})).words == ""
    with pytest.raises(FileFormatError, match="there are paint"):
        EditRecipe.from_toml(edit.to_toml().replace('"paint"', '"melt"'))
    with pytest.raises(FileFormatError, match="no edit"):
        EditRecipe.from_toml(run.to_toml())
