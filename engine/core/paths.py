"""Paths as people and browsers write them."""

from __future__ import annotations

from pathlib import Path

from engine.errors import InputError

LONGEST = 4096


def given_path(text: str | Path) -> Path:
    """The path, with ``~`` understood. Raises InputError for a text that can be the path of no file."""
    try:
        if "\0" in str(text) or len(str(text)) > LONGEST:
            raise ValueError("no name of a file")
        return Path(text).expanduser()
    except (ValueError, RuntimeError) as error:  # there is nobody of that name, whose home it would be
        raise InputError(
            f"{str(text)[:80]!r} is not the path of a file.", "Check the path, or choose the file again."
        ) from error
