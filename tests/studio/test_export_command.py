"""The command ``export``: it lists formats, writes one, and refuses in words."""

from __future__ import annotations

from pathlib import Path

import pytest
import trimesh

from engine.assets.export.formats.base import ExportOptions, Lamp, Trim
from engine.loop.exporting import Exported
from studio.cli import main
from tests.loop.test_exporting import write_result


def test_without_a_format_it_lists_them_with_what_adds_the_missing(capsys, monkeypatch) -> None:
    monkeypatch.setattr("engine.assets.export.formats.base.find_spec", lambda name: None)
    assert main(["export"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {"glb", "obj", "stl", "usdz", "spz", "webm"} <= {line.split()[0] for line in lines}
    assert any("pip install 'maquette[formats]'" in line for line in lines if line.startswith("threemf"))
    assert not any("pip install" in line for line in lines if line.startswith("glb "))


def test_a_result_is_written_beside_itself(tmp_path: Path, capsys) -> None:
    write_result(tmp_path)
    assert main(["export", str(tmp_path), "--format", "stl", "--size-m", "0.05", "--faces", "1000"]) == 0
    mesh = trimesh.load(tmp_path / "export.stl")
    assert mesh.extents.max() == pytest.approx(50, rel=1e-3) and len(mesh.faces) <= 1000
    assert "export.stl" in capsys.readouterr().out
    assert (
        main(["export", str(tmp_path / "scene.ply"), "--format", "splat", "--out", str(tmp_path / "a.splat")])
        == 0
    )
    assert (tmp_path / "a.splat").stat().st_size == 2500 * 32


def test_what_the_sheet_can_choose_can_be_asked_for(tmp_path: Path, monkeypatch) -> None:
    told = []

    def write(source: Path, key: str, options: ExportOptions, out: Path) -> Exported:
        told.append(options)
        out.write_bytes(b"film")
        return Exported(out)

    monkeypatch.setattr("engine.loop.exporting.export", write)
    flags = (
        "--crop -1 -1 0 1 1 1.5 --least-opacity 0.2 --most-size 0.3 --most-stretch 9 --lamp 0.8 "
        "--lamp-azimuth-deg -30"
    )
    more = "--lamp-elevation-deg 10 --background #102030 --origin centre --layer normal"
    assert main(["export", str(tmp_path), "--format", "mp4", *flags.split(), *more.split()]) == 0
    assert main(["export", str(tmp_path), "--format", "mp4"]) == 0
    assert told[0].trim == Trim((-1, -1, 0, 1, 1, 1.5), 0.2, 0.3, 9) and told[0].lamp == Lamp(0.8, -30, 10)
    assert (told[0].background, told[0].origin, told[0].layer) == ("#102030", "centre", "normal")
    assert told[1] == ExportOptions(), "what is not asked for is as usual"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--format", "glb"], "nothing to export"),
        (["nowhere", "--format", "glb"], "does not exist"),
        (["nowhere", "--format", "docx"], "docx"),
        (["nowhere", "--format", "stl", "--size-m", "-1"], "size_m"),
        (["nowhere", "--format", "mp4", "--path", "missing.json"], "missing.json"),
        (["nowhere", "--format", "ply", "--crop", "1", "0", "0", "0", "1", "1"], "box"),
        (["nowhere", "--format", "mp4", "--lamp", "2"], "lamp"),
        (["nowhere", "--format", "gif", "--background", "red"], "background"),
    ],
)
def test_what_cannot_be_written_is_refused(arguments: list[str], word: str, capsys) -> None:
    assert main(["export", *arguments]) in (1, 2)
    said = capsys.readouterr().err
    assert word in said and "try:" in said
