"""``python -m studio shelf``: lists, searches, picks, and draws a sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.toybox.objects import draw_object
from engine.toybox.pictures import on_white, render_object
from studio.cli import EXIT_BAD_INPUT, EXIT_FAILED, main


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAQUETTE_HOME", str(tmp_path / "home"))


def test_words_find_and_a_sheet_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            [
                "shelf",
                "--search",
                "a scarlet couch",
                "--top",
                "3",
                "--sheet",
                str(tmp_path / "sheet.png"),
                "--pick",
                "1",
            ]
        )
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert (
        len(lines) == 5
        and all("sofa" in line and "Apache-2.0" in line for line in lines[:3])
        and "red" in lines[0]
    )
    assert lines[3].removeprefix("picked: ") in "".join(lines[:3])
    assert np.asarray(Image.open(tmp_path / "sheet.png")).std() > 10


def test_a_picture_finds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen = render_object(draw_object(966_000, "guitar"), [20.0], [10.0], resolution=128).rgba[0]
    Image.fromarray(on_white(seen)).save(tmp_path / "guitar.png")
    assert main(["shelf", "--image", str(tmp_path / "guitar.png"), "--top", "1"]) == 0
    assert "guitar" in capsys.readouterr().out


def test_a_folder_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "blue_tent.obj").write_text(
        "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 1 4 3\n"
    )
    (tmp_path / "models" / "bad.stl").write_bytes(b"no model")
    assert main(["shelf", "--folder", str(tmp_path / "models")]) == 0
    told = capsys.readouterr()
    assert "blue tent" in told.out and "bad.stl" in told.err
    assert main(["shelf", "--results"]) == 0 and "Nothing" in capsys.readouterr().err


def test_questions_that_have_no_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shelf", "--search", "a", "--image", "b.png"]) == EXIT_BAD_INPUT
    assert main(["shelf", "--folder", str(tmp_path / "none")]) == EXIT_FAILED
    assert main(["shelf", "--search", "a mug", "--top", "0"]) == EXIT_BAD_INPUT
    assert main(["shelf", "--embedder", "owl"]) == EXIT_BAD_INPUT
    assert "Choose one of toybox, clip" in capsys.readouterr().err
