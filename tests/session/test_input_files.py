"""Files that a run is given: it has its own copies, and a run that cannot begin leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError, StorageError
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session.input_files import GIVEN, forget_own_files, given_files, with_own_files


def with_style(path: Path | str) -> Settings:
    return Settings(RunSpec("a red mug", style_file=str(path)), Knobs())


@pytest.fixture
def style(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "clay.safetensors"
    path.parent.mkdir()
    path.write_bytes(b"clay")
    return path


def test_settings_without_files_stay_as_they_are(tmp_path: Path) -> None:
    assert given_files(with_style("")) == {} and with_own_files(with_style(""), tmp_path) == with_style("")
    assert list(tmp_path.iterdir()) == []


def test_a_run_keeps_its_own_copy_under_the_same_name(style: Path, tmp_path: Path) -> None:
    own = Path(with_own_files(with_style(style), tmp_path / "run").spec.style_file)
    style.unlink()
    assert own == tmp_path / "run" / GIVEN / "style_file" / "clay.safetensors" and own.read_bytes() == b"clay"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"style_file names .*gone\.safetensors"):
        with_own_files(with_style(tmp_path / "gone.safetensors"), tmp_path)


def test_a_folder_that_cannot_be_written_is_told(style: Path, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file is in the way")
    with pytest.raises(StorageError):
        with_own_files(with_style(style), tmp_path / "run")


def test_copies_can_be_forgotten(style: Path, tmp_path: Path) -> None:
    with_own_files(with_style(style), tmp_path / "run")
    forget_own_files(tmp_path / "run")
    assert list((tmp_path / "run").iterdir()) == [] and style.is_file()
