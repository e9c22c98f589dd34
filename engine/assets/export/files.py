"""Files that appear whole or not at all, and refusals to read that a person understands."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import InputError, storage_errors


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, with its suffix; it takes the name ``path`` once the block ends
    well.

    A block that fails leaves nothing behind, and an earlier file of that name untouched. Missing folders are
    made. Raises `StorageError` where the operating system refuses: full disk, no permission, not a folder.
    """
    path = Path(path)
    partial = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.partial{path.suffix}")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def read_errors(path: Path | str) -> Iterator[None]:
    """Turn the operating system's refusals while reading ``path`` into an `InputError`."""
    try:
        yield
    except OSError as error:
        what = f"{path} could not be read ({error.strerror or error})."
        raise InputError(what, "Check that the file exists and that you may read it.") from error
