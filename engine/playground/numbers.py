"""The numbers of a grid: a document for programs and a Markdown table for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from engine.guidance import methods
from engine.loop.settings import flatten
from engine.playground.grid import Grid
from engine.playground.painting import Painting

COLUMNS = (
    ("loss", "loss at the end", "{:.4g}"),
    ("gradient_norm", "gradient norm", "{:.3g}"),
    ("saturation", "saturation", "{:.2f}"),
    ("burnt", "burnt out", "{:.1%}"),
    ("seconds", "seconds", "{:.1f}"),
    ("forwards_per_step", "passes a step", "{:.3g}"),
    ("backwards_per_step", "back a step", "{:.3g}"),
)


def document(grid: Grid, paintings: Sequence[Painting]) -> dict[str, Any]:
    """All numbers and curves as plain data, with the settings that every cell shares."""
    shared = {name: value for name, value in flatten(grid.base).items() if name not in ("method", "guidance_scale")}
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
        f"# “{spec.prompt}”: {spec.prior}, {grid.changes.get('refine_steps', spec.refine_steps)} steps, seed {spec.seed}",
        "",
    ]
    lines.append("| method | guidance | " + " | ".join(title for _, title, _ in COLUMNS) + " |")
    lines.append("|---|---:|" + "---:|" * len(COLUMNS))
    notes = []
    for painting in paintings:
        title, scale = methods()[painting.cell.method].title, f"{painting.cell.guidance_scale:g}"
        numbers = painting.numbers
        values = [form.format(numbers[name]) if math.isfinite(numbers.get(name, math.nan)) else "–" for name, _, form in COLUMNS]
        lines.append(f"| {title} | {scale} | " + " | ".join(values) + " |")
        notes += [f"- {title} at {scale}: {note}" for note in (painting.trouble, *painting.notes) if note]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"
