"""``python -m studio inspect``: pictures, models, splats and results in words and as JSON; and the table of a
folder.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.assets.export.ply import sh0_from_rgb, write_splat_ply
from engine.benchmark.inputs import main as walk
from engine.loop.recipe import Recipe
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from studio.cli import EXIT_BAD_INPUT, EXIT_OK, main
from tests.assets.meshes.models import document, write_glb

RECIPE = Recipe(Settings(RunSpec("a red ball", seed=7), Knobs())).to_toml()


def picture(path: Path) -> Path:
    canvas = np.full((80, 100, 3), 255, np.uint8)
    canvas[20:60, 30:60] = (200, 40, 30)
    Image.fromarray(canvas).save(path)
    return path


def splats(path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=(300, 3)), np.full((300, 3), 0.1), rng.normal(size=(300, 4)), np.full(300, 0.9)]
    write_splat_ply(path, *rows, sh0_from_rgb(np.full((300, 3), 0.5)), recipe=RECIPE)
    return path


def told(capsys: pytest.CaptureFixture[str], *files: Path) -> list[dict]:
    assert main(["inspect", "--json", *map(str, files)]) == EXIT_OK
    return json.loads(capsys.readouterr().out)


def test_each_kind_is_told_with_what_matters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    files = (
        picture(tmp_path / "a.png"),
        write_glb(tmp_path / "a.glb", *document()),
        splats(tmp_path / "a.ply"),
        tmp_path,
    )
    seen, model, cloud, result = told(capsys, *files)
    assert [each["kind"] for each in (seen, model, cloud, result)] == ["picture", "model", "splats", "result"]
    assert (
        seen["facts"]["object_share"] == pytest.approx(0.15, abs=0.02)
        and seen["facts"]["colour"] == "#c8281e"
    )
    assert any("flat background" in note for note in seen["notes"])
    assert model["facts"]["faces"] == 8 and (model["facts"]["up"], model["facts"]["confidence"]) == ("y", 1.0)
    assert cloud["facts"]["prompt"] == "a red ball" and cloud["facts"]["up"] == "z"
    assert (result["facts"]["prompt"], result["facts"]["seed"]) == ("a red ball", 7)


def test_words_for_people_and_failures_beside_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.glb").write_bytes(b"glTF")
    good = write_glb(tmp_path / "a.glb", *document())
    assert (
        main(["inspect", str(tmp_path / "bad.glb"), str(good), str(tmp_path / "gone.png")]) == EXIT_BAD_INPUT
    )
    out, err = capsys.readouterr()
    assert "8 faces" in out and "up: y of the file" in out
    assert "bad.glb: cannot be used" in err and "gone.png" in err and "Traceback" not in err
    assert main(["inspect", "--json", str(tmp_path / "bad.glb")]) == EXIT_BAD_INPUT
    assert json.loads(capsys.readouterr().out)[0]["remedy"]


def test_a_name_that_says_nothing_is_no_hindrance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [picture(tmp_path / "a.png").rename(tmp_path / "a"), write_glb(tmp_path / "b", *document())]
    assert [each["kind"] for each in told(capsys, *names)] == ["picture", "model"]
    (tmp_path / "c").write_bytes(b"nothing at all")
    assert main(["inspect", str(tmp_path / "c")]) == EXIT_BAD_INPUT
    assert "no picture either" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["inspect"], ["generate", "--out", "out", "--recipe"]])
def test_a_recipe_that_is_no_text_is_told(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.toml").write_bytes(b'prompt = "caf\xe9"\n')
    assert main([*command, "recipe.toml"]) == EXIT_BAD_INPUT
    assert "UTF-8" in capsys.readouterr().err


@pytest.mark.heavy
def test_a_folder_is_walked_and_a_table_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    write_glb(folder / "good.glb", *document())
    (folder / "bad.stl").write_bytes(b"no model")
    (folder / "notes.txt").write_text("passed over")
    assert walk([str(folder), "--json", str(tmp_path / "rows.json")]) == 0
    rows = {row["file"]: row for row in json.loads((tmp_path / "rows.json").read_text())}
    assert rows["good.glb"]["ended"] == "read" and "faces 8" in rows["good.glb"]["told"]
    assert rows["bad.stl"]["ended"] == "refused" and set(rows) == {"good.glb", "bad.stl"}
    assert "| good.glb | read |" in capsys.readouterr().out
    assert walk([str(folder), "--limit-s", "0.05"]) == 1 and "too long" in capsys.readouterr().out
