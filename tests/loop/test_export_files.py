"""What every writer owes its folder: a whole file or none, the old one kept, and a sentence with a remedy."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh

from engine.assets.export import glb, ply, read_recipe, sheet, video
from engine.assets.export.files import atomic_path
from engine.errors import FileFormatError, InputError, StorageError

Writer = Callable[[Path], object]


def write_ply(path: Path) -> None:
    ply.write_splat_ply(
        path, np.zeros((1, 3)), np.ones((1, 3)), np.eye(4)[:1], np.ones(1), np.zeros((1, 3)), recipe="a"
    )


def write_mesh(path: Path) -> None:
    box = trimesh.creation.box()
    glb.write_glb(path, box.vertices, box.faces, np.ones((8, 3)), recipe="a")


def write_film(path: Path) -> None:
    video.write_video(path, [np.zeros((16, 16, 3), np.uint8)] * 3, recipe="a")


def write_views(path: Path) -> None:
    sheet.write_sheet(path, np.zeros((8, 8, 8, 4), np.uint8), recipe="a")


WRITERS = [
    ("scene.ply", write_ply),
    ("mesh.glb", write_mesh),
    ("turntable.mp4", write_film),
    ("views.png", write_views),
]
each_writer = pytest.mark.parametrize(("name", "write"), WRITERS, ids=[name for name, _ in WRITERS])


@each_writer
def test_missing_folders_are_made_and_only_the_file_remains(name: str, write: Writer, tmp_path: Path) -> None:
    write(tmp_path / "new" / "folder" / name)
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == [name]
    assert read_recipe(tmp_path / "new" / "folder" / name) == "a"


@each_writer
def test_a_full_disk_keeps_the_old_file_and_leaves_no_other(
    name: str, write: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text("old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StorageError, match="disk is full") as caught:
        write(tmp_path / name)
    assert caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == [name] and (tmp_path / name).read_text() == "old"


@each_writer
def test_a_folder_that_is_a_file_is_a_storage_error(name: str, write: Writer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as caught:
        write(tmp_path / "file" / name)
    assert name in caught.value.what and caught.value.remedy


def test_an_encoder_that_meets_a_full_disk_reports_it_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "ffmpeg"
    tool.write_text(
        "#!/bin/sh\nhead -c 100 >/dev/null\necho 'Error writing trailer: No space left on device' "
        ">&2\nexit 1\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tool))
    with pytest.raises(StorageError, match="disk is full"):
        video.write_video(tmp_path / "out" / "turn.mp4", [np.zeros((256, 256, 3), np.uint8)] * 50)
    assert not list((tmp_path / "out").iterdir())


def test_a_block_that_fails_for_its_own_reasons_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), atomic_path(tmp_path / "a.txt") as partial:
        partial.write_text("half")
        raise ValueError("mine")
    assert not list(tmp_path.iterdir())


def test_files_of_other_kinds_and_missing_ones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"\.docx"):
        read_recipe(tmp_path / "a.docx")
    for name, _ in WRITERS:
        with pytest.raises(InputError, match="could not be read"):
            read_recipe(tmp_path / name)
