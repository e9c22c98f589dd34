"""The whole grid, cell after cell; and its sheet in one call, for whoever wants only that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.playground import archive
from engine.playground.grid import Grid
from engine.playground.painting import Brushed, Painting, paint
from engine.playground.sheet import compose
from engine.prior.base import Prior


def play(grid: Grid, prior: Prior, folder: Path | None = None) -> Iterator[Brushed | Painting]:
    """Every cell of ``grid`` in turn: ``Brushed`` after each step and a ``Painting`` for each cell, row by row.

    With ``folder``, finished cells are kept there, and those that lie there already are taken as they are.
    Raises InputError if no cell can be run, StorageError if the folder cannot be written.
    """
    for cell in grid.cells():
        kept = None if folder is None else archive.load(cell, folder)
        for event in paint(cell, prior) if kept is None else [kept]:
            if folder is not None and kept is None and isinstance(event, Painting):
                archive.save(event, folder)
            yield event


def playground_sheet(grid: Grid, prior: Prior, folder: Path | None = None) -> np.ndarray:
    """The finished contact sheet (H,W,3) uint8 of a grid. Raises as ``play`` does."""
    return compose(grid, [event for event in play(grid, prior, folder) if isinstance(event, Painting)])
