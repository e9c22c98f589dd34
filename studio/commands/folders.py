"""Folders for results: checked before the work, with earlier results put aside and never overwritten."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from engine.errors import StorageError, storage_errors


def ready(out: Path) -> None:
    """Make sure now, and not after the work, that ``out`` is a folder that can be written. Raises
    StorageError.
    """
    if out.exists() and not out.is_dir():
        raise StorageError(
            f"--out {out} is a file, not a folder.", "Name a folder; it is created if it does not exist."
        )
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass


def put_aside(out: Path, names: Sequence[str]) -> None:
    """Move the files of these names, as far as they are there, into a new folder ``earlier-1``, ``earlier-2``
    ... in ``out``.
    """
    earlier = [out / name for name in names if (out / name).exists()]
    if not earlier:
        return
    number = 1
    while (out / f"earlier-{number}").exists():
        number += 1
    with storage_errors(out):
        (out / f"earlier-{number}").mkdir()
        for path in earlier:
            os.replace(path, out / f"earlier-{number}" / path.name)
    tqdm.write(f"note: earlier results in {out} are now in {out / f'earlier-{number}'}")
