"""``replay``: a result is made again from any file of it, to the bit on a CPU, live changes included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.assets.export.ply import read_splat_ply, write_splat_ply
from studio.cli import EXIT_BAD_INPUT, EXIT_OK, main
from studio.commands.replay import comparison

QUICK = ("fit_steps=10", "refine_steps=4", "sampling_steps=2", "splats=300")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a result with a live change at step 14."""
    out = tmp_path_factory.mktemp("replay") / "mug"
    settings = [part for each in QUICK for part in ("--set", each)]
    assert (
        main(
            [
                "generate",
                "--prompt",
                "a red mug",
                "--out",
                str(out),
                "--formats",
                "ply,glb",
                "--quiet",
                *settings,
            ]
        )
        == EXIT_OK
    )
    recipe = out / "recipe.toml"
    recipe.write_text(
        recipe.read_text() + "\n[[change]]\ntotal_step = 14\nrevision = 1\nguidance_scale = 8.0\n"
    )
    steered = out.with_name("steered")
    assert (
        main(["generate", "--recipe", str(recipe), "--out", str(steered), "--formats", "ply,glb", "--quiet"])
        == EXIT_OK
    )
    return steered


@pytest.mark.parametrize("name", ["scene.ply", "mesh.glb", "recipe.toml"])
def test_any_file_of_a_result_makes_it_again_to_the_bit(
    made: Path, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["replay", str(made / name), "--out", str(tmp_path / "again"), "--formats", "ply", "--quiet"])
        == EXIT_OK
    )
    assert "bit for bit" in capsys.readouterr().out
    one, other = (read_splat_ply(folder / "scene.ply") for folder in (made, tmp_path / "again"))
    assert np.array_equal(one.means, other.means) and np.array_equal(one.sh0, other.sh0)
    assert "guidance_scale = 8.0" in (tmp_path / "again" / "recipe.toml").read_text()


def test_what_differs_is_told(tmp_path: Path) -> None:
    def write(name: str, count: int, shift: float) -> Path:
        shape = np.linspace(0, 1, 3 * count).reshape(count, 3)
        quats = np.tile([1.0, 0, 0, 0], (count, 1))
        write_splat_ply(
            tmp_path / name, shape + shift, np.full((count, 3), 0.1), quats, np.full(count, 0.5), shape
        )
        return tmp_path / name

    one = write("a.ply", 5, 0.0)
    assert "bit for bit" in comparison(one, one)
    assert "no splat moved by more than 0.25" in comparison(one, write("b.ply", 5, 0.25))
    assert "5 splats before, 6 now" in comparison(one, write("c.ply", 6, 0.0))


def test_files_without_a_recipe_and_the_originals_place_are_refused(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "odd.ply").write_bytes(b"no ply")
    for arguments in (
        [str(tmp_path / "odd.ply")],
        [str(tmp_path / "gone.glb")],
        [str(made / "scene.ply"), "--out", str(made)],
    ):
        assert main(["replay", *arguments]) == EXIT_BAD_INPUT
        assert "try: " in capsys.readouterr().err
    assert (made / "scene.ply").is_file()
