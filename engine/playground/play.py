"""The whole grid, cell after cell; its sheet in one call, for whoever wants only that; and its numbers as a
table.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.assets.export.files import atomic_path
from engine.assets.export.sheet import write_png
from engine.errors import storage_errors
from engine.guidance import methods
from engine.loop.settings import flatten
from engine.playground.grid import Cell, Grid
from engine.playground.painting import Brushed, Painting, paint
from engine.prior.base import Prior

COLUMNS = (
    ("loss", "loss at the end", "{:.4g}"),
    ("gradient_norm", "gradient norm", "{:.3g}"),
    ("saturation", "saturation", "{:.2f}"),
    ("burnt", "burnt out", "{:.1%}"),
    ("seconds", "seconds", "{:.1f}"),
    ("forwards_per_step", "passes a step", "{:.3g}"),
    ("backwards_per_step", "back a step", "{:.3g}"),
)

ARRAYS = ("rgba", "frames", "frame_steps", "losses", "gradient_norms")


def save(painting: Painting, folder: Path) -> None:
    """Write a finished cell below ``folder``: its picture, which holds its recipe, and all else. Raises
    StorageError.

    A cell in trouble is not kept: what it lacked may be there next time.
    """
    if painting.trouble:
        return
    place = folder / painting.cell.key
    with storage_errors(place):
        place.mkdir(parents=True, exist_ok=True)
        write_png(place / "picture.png", painting.rgba, recipe=painting.recipe)
        document = {
            "numbers": dict(painting.numbers),
            "notes": list(painting.notes),
            "recipe": painting.recipe,
        }
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
    return Painting(
        cell, **arrays, numbers=document["numbers"], notes=tuple(document["notes"]), recipe=document["recipe"]
    )


def play(grid: Grid, prior: Prior, folder: Path | None = None) -> Iterator[Brushed | Painting]:
    """Every cell of ``grid`` in turn: ``Brushed`` after each step and a ``Painting`` for each cell, row by
    row.

    With ``folder``, finished cells are kept there, and those that lie there already are taken as they are.
    Raises InputError if no cell can be run, StorageError if the folder cannot be written.
    """
    for cell in grid.cells():
        kept = None if folder is None else load(cell, folder)
        for event in paint(cell, prior) if kept is None else [kept]:
            if folder is not None and kept is None and isinstance(event, Painting):
                save(event, folder)
            yield event


def document(grid: Grid, paintings: Sequence[Painting]) -> dict[str, Any]:
    """All numbers and curves as plain data, with the settings that every cell shares."""
    shared = {
        name: value for name, value in flatten(grid.base).items() if name not in ("method", "guidance_scale")
    }
    return {"settings": {**shared, **grid.changes}, "cells": [_entry(painting) for painting in paintings]}


def _entry(painting: Painting) -> dict[str, Any]:
    cell = painting.cell
    return {
        "method": cell.method,
        "guidance_scale": cell.guidance_scale,
        "key": cell.key,
        "numbers": {name: _plain(value) for name, value in painting.numbers.items()},
        "losses": [_plain(value) for value in painting.losses.tolist()],
        "gradient_norms": [_plain(value) for value in painting.gradient_norms.tolist()],
        "notes": list(painting.notes),
        "trouble": painting.trouble,
    }


def _plain(value: float) -> float | None:
    """JSON has no "not a number"."""
    return round(value, 6) if math.isfinite(value) else None


def table(grid: Grid, paintings: Sequence[Painting]) -> str:
    """A Markdown table with one row for each cell; why there is no picture where there is none."""
    spec = grid.base.spec
    lines = [
        f"# “{spec.prompt}”: {spec.prior}, {grid.changes.get('refine_steps', spec.refine_steps)} steps, "
        f"seed {spec.seed}",
        "",
    ]
    lines.append("| method | guidance | " + " | ".join(title for _, title, _ in COLUMNS) + " |")
    lines.append("|---|---:|" + "---:|" * len(COLUMNS))
    notes = []
    for painting in paintings:
        title, scale = methods()[painting.cell.method].title, f"{painting.cell.guidance_scale:g}"
        numbers = painting.numbers
        values = [
            form.format(numbers[name]) if math.isfinite(numbers.get(name, math.nan)) else "–"
            for name, _, form in COLUMNS
        ]
        lines.append(f"| {title} | {scale} | " + " | ".join(values) + " |")
        notes += [f"- {title} at {scale}: {note}" for note in (painting.trouble, *painting.notes) if note]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"
