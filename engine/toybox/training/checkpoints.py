"""Checkpoints that survive being killed: written aside, renamed into place, the one before kept."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import torch

from engine.errors import FileFormatError, storage_errors

CURRENT, PREVIOUS = "checkpoint.pt", "checkpoint_previous.pt"


def save_checkpoint(state: dict[str, object], folder: Path) -> None:
    """Write ``state`` so that at every moment at least one whole checkpoint exists. Raises `StorageError`."""
    partial = Path(folder) / f".{CURRENT}.partial"
    with storage_errors(partial):
        try:
            with open(partial, "wb") as file:
                torch.save(state, file)
                file.flush()
                os.fsync(file.fileno())
            if (Path(folder) / CURRENT).exists():
                os.replace(Path(folder) / CURRENT, Path(folder) / PREVIOUS)
            os.replace(partial, Path(folder) / CURRENT)
        finally:
            partial.unlink(missing_ok=True)


def load_checkpoint(folder: Path) -> dict[str, object] | None:
    """The newest checkpoint that can be read; None if there never was one. Raises `FileFormatError` if all
    are damaged.
    """
    paths = [path for path in (Path(folder) / CURRENT, Path(folder) / PREVIOUS) if path.exists()]
    for path in paths:
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises many kinds for a damaged file
            warnings.warn(f"{path} cannot be read ({error}); trying the one before.", stacklevel=2)
    if paths:
        raise FileFormatError(
            f"No checkpoint in {folder} can be read.", "Delete them, or train in another folder."
        )
    return None
