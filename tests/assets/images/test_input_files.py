"""Pictures belong to a run: copied, named by what is in them, and missed when they are gone or have
changed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.assets.images.image_arguments import pictures_in
from engine.assets.images.input_files import COPIES, digest, existing_file, kept_with, within
from engine.errors import InputError


@pytest.fixture
def mug(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "mug.png"
    path.parent.mkdir()
    path.write_bytes(b"a mug")
    return path


def test_copies_outlive_their_originals(mug: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    (kept,) = pictures_in(kept_with(f"{mug}@30*0.5", run))
    assert (kept.path, kept.azimuth_deg, kept.weight) == ((COPIES / "mug.png").as_posix(), 30, 0.5)
    mug.unlink()
    assert existing_file(kept, run).read_bytes() == b"a mug"
    assert existing_file(pictures_in(within(str(kept), run))[0], None).is_absolute()


def test_keeping_twice_changes_nothing(mug: Path, tmp_path: Path) -> None:
    once = kept_with(str(mug), tmp_path / "run")
    assert kept_with(once, tmp_path / "run") == once
    assert len(list((tmp_path / "run" / COPIES).iterdir())) == 1


def test_pictures_of_one_name_do_not_overwrite_each_other(mug: Path, tmp_path: Path) -> None:
    other = tmp_path / "mug.png"
    other.write_bytes(b"another mug")
    both = pictures_in(kept_with(f"{mug};{other}", tmp_path / "run"))
    assert [existing_file(each, tmp_path / "run").read_bytes() for each in both] == [b"a mug", b"another mug"]


def test_a_changed_picture_is_noticed(mug: Path) -> None:
    listed = pictures_in(kept_with(str(mug), None))[0]
    assert listed.digest == digest(mug) and existing_file(listed, None) == mug
    mug.write_bytes(b"a jug")
    with pytest.raises(InputError, match="changed"):
        existing_file(listed, None)


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.png is not there"):
        kept_with(str(tmp_path / "gone.png"), tmp_path / "run")


def test_names_that_mean_something_are_made_plain(tmp_path: Path) -> None:
    odd = tmp_path / "mug*2@#.png"
    odd.write_bytes(b"odd")
    kept = kept_with(f"{odd}@5", tmp_path / "run")
    assert existing_file(pictures_in(kept)[0], tmp_path / "run").name == "mug_2__.png"
