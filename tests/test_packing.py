"""What a wheel and a source archive hold, and that the commands work from one, wherever they are called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BUILD = (
    "import sys; from setuptools import build_meta as b; out = sys.argv[1]; b.build_sdist(out); "
    "b.build_wheel(out)"
)
SHIPPED = ("engine", "studio", "presets")


def run(arguments: list[str], folder: Path, **environment: str) -> str:
    told = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source archive, and a wheel; what is built is a copy of the checkout."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in SHIPPED:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    run(["-c", BUILD, str(out)], source)
    return out


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked where Python finds it before the checkout."""
    site = tmp_path_factory.mktemp("site")
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def files_of_the_checkout() -> set[str]:
    found = (
        path.relative_to(ROOT) for name in SHIPPED for path in (ROOT / name).rglob("*") if path.is_file()
    )
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}


def test_a_wheel_and_a_source_archive_hold_every_file(built: Path, installed: Path) -> None:
    in_wheel = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
    wanted = files_of_the_checkout()
    assert len(wanted) > 400
    assert not {f"engine/{name}" if name.startswith("presets/") else name for name in wanted} - in_wheel
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        in_archive = {name.partition("/")[2] for name in opened.getnames()}
    assert not {*wanted, "pyproject.toml", "README.md", "LICENSE"} - in_archive


@pytest.mark.heavy
def test_commands_work_from_a_wheel_in_another_folder(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "studio").mkdir()  # somebody's own folder of that name
    where = {"PYTHONPATH": str(installed), "MAQUETTE_HOME": str(tmp_path / "library")}
    found = run(
        ["-c", "import engine.shipped as s, studio.theme as t; t.head(); print(s.presets_folder())"],
        tmp_path,
        **where,
    )
    assert Path(found.strip()) == installed / "engine" / "presets"
    asking = "import sys; sys.path.remove(''); from studio.cli import main; sys.exit(main(sys.argv[1:]))"
    assert "toybox-splats" in run(["-c", asking, "presets"], tmp_path, **where)
    told = run(["-c", asking, "priors"], tmp_path, **where)
    assert next(line for line in told.splitlines() if line.startswith("toybox ")).count("installed") == 1
    assert "not installed" not in next(line for line in told.splitlines() if line.startswith("toybox "))
    assert "--prompt" in run(["-m", "studio", "generate", "--help"], tmp_path, **where)
