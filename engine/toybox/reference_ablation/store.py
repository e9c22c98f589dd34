"""Outcomes on disk as they are ready, in the files of `engine.toybox.method_sweep.store`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from engine.toybox.method_sweep.store import begin, stored_lines, views_in, write
from engine.toybox.reference_ablation.measure import Outcome

__all__ = ["add", "begin", "load"]


def add(folder: Path, outcome: Outcome) -> None:
    """Write one outcome. Raises StorageError."""
    values = {
        "key": outcome.key,
        "digest": outcome.digest,
        "reference": outcome.reference,
        "error": outcome.error,
    }
    write(
        folder,
        {**values, "numbers": dict(outcome.numbers)},
        Image.fromarray(np.concatenate(list(outcome.views), axis=1)),
    )


def load(folder: Path, wanted: Mapping[str, str]) -> dict[str, Outcome]:
    """Outcomes by key of the cells in ``wanted`` (key -> digest), but those of other settings or weights, or
    that failed.
    """
    return {
        values["key"]: Outcome(
            values["key"],
            values["digest"],
            values["reference"],
            values["numbers"],
            views_in(folder, values["key"])[..., :3],
        )
        for values in stored_lines(folder, wanted)
    }
