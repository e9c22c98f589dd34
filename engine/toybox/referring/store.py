"""Outcomes on disk as they are ready: a line of JSON and a picture each, so that a table that was ended can go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from engine.errors import storage_errors
from engine.toybox.comparison.store import LINES, PICTURES, begin
from engine.toybox.referring.measure import Outcome

__all__ = ["add", "begin", "load"]


def add(folder: Path, outcome: Outcome) -> None:
    """Write one outcome, its picture first: a line means that all of it is there. Raises StorageError."""
    told = {"key": outcome.key, "digest": outcome.digest, "reference": outcome.reference, "error": outcome.error}
    with storage_errors(folder):
        Image.fromarray(np.concatenate(list(outcome.views), axis=1)).save(_picture(folder, outcome.key))
        with (folder / LINES).open("a", encoding="utf-8") as file:
            file.write(json.dumps({**told, "numbers": dict(outcome.numbers)}) + "\n")


def load(folder: Path, wanted: Mapping[str, str]) -> dict[str, Outcome]:
    """Outcomes by key of the cells in ``wanted`` (key -> digest), but those of other settings or weights, or that failed."""
    path, found = folder / LINES, {}
    with storage_errors(path):
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in lines:
        try:
            told = json.loads(line)
        except json.JSONDecodeError:  # cut off when the program was ended
            continue
        picture = _picture(folder, str(told.get("key")))
        if wanted.get(told.get("key")) == told.get("digest") and not told.get("error") and picture.is_file():
            found[told["key"]] = Outcome(told["key"], told["digest"], told["reference"], told["numbers"], _views(picture))
    return found


def _picture(folder: Path, key: str) -> Path:
    return folder / PICTURES / f"{key}.png"


def _views(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        row = np.asarray(picture.convert("RGB"))
    return np.stack(np.split(row, row.shape[1] // row.shape[0], axis=1))
