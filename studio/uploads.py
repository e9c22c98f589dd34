"""Which files a browser may name: those that were uploaded here, those that runs keep, and the shipped examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.errors import InputError
from engine.session.presets import FOLDER

SHIPPED = FOLDER / "examples"


def check_uploads(files: Mapping[str, Path], folders: Sequence[Path]) -> None:
    """Raises InputError for a file, by the setting that names it, that does not lie below one of ``folders``.

    Paths come from outside, so links and dots are followed before they are judged.
    """
    allowed = [folder.resolve() for folder in folders]
    for name, path in files.items():
        if not any(path.resolve().is_relative_to(folder) for folder in allowed):
            raise InputError(f"{name} names a file that was not uploaded here.", "Choose the file again.")
