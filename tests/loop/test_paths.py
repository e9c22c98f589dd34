"""What is written as a path: understood, or refused with a reason, and never an accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.assets.images.input_files import kept_with
from engine.core.paths import given_path
from engine.errors import InputError
from engine.loop.reference import input_files
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session.input_files import given_files


def test_the_home_is_understood() -> None:
    assert given_path("~/mug.glb") == Path.home() / "mug.glb" and given_path("mug.glb") == Path("mug.glb")


@pytest.mark.parametrize("sly", ["a\0b.png", "~nobody-of-this-name/a.png", "a" * 5000])
def test_what_can_be_no_path_is_told_wherever_it_is_given(sly: str, tmp_path: Path) -> None:
    for use in (
        lambda: given_path(sly),
        lambda: input_files.kept_with(sly, tmp_path),
        lambda: kept_with(sly, tmp_path),
        lambda: given_files(Settings(RunSpec("a mug", reference=sly), Knobs())),
        lambda: given_files(Settings(RunSpec("a mug", images=sly), Knobs())),
    ):
        with pytest.raises(InputError, match="not the path of a file"):
            use()
