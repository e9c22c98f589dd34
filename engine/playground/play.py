"""The whole grid, cell after cell; and its sheet in one call, for whoever wants only that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.assets.export.files import atomic_path
from engine.assets.export.sheet import write_png
from engine.errors import storage_errors
from engine.playground.grid import Cell, Grid
from engine.playground.painting import Brushed, Painting, paint
from engine.prior.base import Prior

ARRAYS = ("rgba", "frames", "frame_steps", "losses", "gradient_norms")


def save(painting: Painting, folder: Path) -> None:
    """Write a finished cell below ``folder``: its picture, which holds its recipe, and all else. Raises StorageError.

    A cell in trouble is not kept: what it lacked may be there next time.
    """
    if painting.trouble:
        return
    place = folder / painting.cell.key
    with storage_errors(place):
        place.mkdir(parents=True, exist_ok=True)
        write_png(place / "picture.png", painting.rgba, recipe=painting.recipe)
        document = {"numbers": dict(painting.numbers), "notes": list(painting.notes), "recipe": painting.recipe}
        arrays = {name: getattr(painting, name) for name in ARRAYS}
        with atomic_path(place / "cell.npz") as partial:  # last: a folder with this file is complete
            np.savez_compressed(partial, told=np.array(json.dumps(document)), **arrays)


def load(cell: Cell, folder: Path) -> Painting | None:
    """The finished cell with exactly these settings; None if there is none that can be read."""
    try:
        with np.load(folder / cell.key / "cell.npz", allow_pickle=False) as stored:
            document = json.loads(str(stored["told"]))
            arrays = {name: stored[name] for name in ARRAYS}
    except (OSError, ValueError, KeyError):
        return None
    return Painting(cell, **arrays, numbers=document["numbers"], notes=tuple(document["notes"]), recipe=document["recipe"])


def play(grid: Grid, prior: Prior, folder: Path | None = None) -> Iterator[Brushed | Painting]:
    """Every cell of ``grid`` in turn: ``Brushed`` after each step and a ``Painting`` for each cell, row by row.

    With ``folder``, finished cells are kept there, and those that lie there already are taken as they are.
    Raises InputError if no cell can be run, StorageError if the folder cannot be written.
    """
    for cell in grid.cells():
        kept = None if folder is None else load(cell, folder)
        for event in paint(cell, prior) if kept is None else [kept]:
            if folder is not None and kept is None and isinstance(event, Painting):
                save(event, folder)
            yield event
