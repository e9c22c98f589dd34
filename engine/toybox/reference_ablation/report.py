"""The table's numbers: a line for each group and reference, with the spread over the seeds, as Markdown and
as JSON.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.toybox.benchmark.reference_choice import CEILING, NONE, RANDOM, TRUTH
from engine.toybox.reference_ablation.cells import SHIPPED, Cell, Row
from engine.toybox.reference_ablation.measure import Outcome

COLUMNS = (
    ("psnr", "PSNR, dB", "{:.2f}"),
    ("gain", "to none, dB", "{:+.2f}"),
    ("ssim", "SSIM", "{:.3f}"),
    ("perceptual_distance", "perceptual distance", "{:.3f}"),
    ("mask_iou", "mask IoU", "{:.3f}"),
    ("chamfer", "Chamfer", "{:.4f}"),
    ("f_score", "F-score", "{:.3f}"),
    ("gate", "gate", "{:.2f}"),
)
TITLES = {NONE: "none", RANDOM: "random", TRUTH: "the true object", CEILING: "*fit to true views*"}
GOALS = (("top-1", 1.0), (TRUTH, 3.0), (RANDOM, -0.2))
"""Least gains over none that are wanted, in dB."""
PAPER = {NONE: 15.90, RANDOM: 14.74, "top-5": 15.96, "top-3": 16.75, "top-1": 17.02, TRUTH: 20.37}
"""PSNR in dB that Phidias (arXiv 2409.11406) tells of other objects, seen otherwise: its directions compare,
not its digits.
"""
ABSENT = "–"


@dataclass(frozen=True)
class Line:
    """A row: means over objects and seeds by name, and ``spread``, the standard deviation of the seeds'
    means.
    """

    row: Row
    numbers: Mapping[str, float]
    spread: Mapping[str, float]
    objects: int
    errors: tuple[str, ...] = ()


def gather(cells: Sequence[Cell], outcomes: Mapping[str, Outcome]) -> tuple[Line, ...]:
    """A line for each row of ``cells``, whose outcomes are given by key; rows of which nothing is there are
    left out.

    ``gain`` is the difference in PSNR to the same object and seed without a reference.
    """
    none = {
        _place(cell): outcomes[cell.key]
        for cell in cells
        if cell.row.reference == NONE and cell.key in outcomes
    }
    by_row: dict[Row, list[tuple[Cell, Outcome]]] = {}
    for cell in cells:
        if cell.key in outcomes:
            by_row.setdefault(cell.row, []).append((cell, outcomes[cell.key]))
    return tuple(_line(row, pairs, none) for row, pairs in by_row.items())


def _place(cell: Cell) -> tuple[int, int]:
    return cell.task.index, cell.seed


def _line(row: Row, pairs: Sequence[tuple[Cell, Outcome]], none: Mapping[tuple[int, int], Outcome]) -> Line:
    by_seed: dict[int, list[dict[str, float]]] = {}
    for cell, outcome in pairs:
        if outcome.numbers:
            by_seed.setdefault(cell.seed, []).append(_with_gain(outcome, none.get(_place(cell))))
    means = [_means(rows) for rows in by_seed.values()]
    names = sorted({name for rows in means for name in rows})
    values = {name: [rows[name] for rows in means if name in rows] for name in names}
    spread = {name: statistics.stdev(rows) for name, rows in values.items() if len(rows) > 1}
    errors = tuple(sorted({outcome.error for _, outcome in pairs if outcome.error}))
    objects = len({cell.task.index for cell, outcome in pairs if outcome.numbers})
    return Line(row, {name: statistics.fmean(rows) for name, rows in values.items()}, spread, objects, errors)


def _with_gain(outcome: Outcome, none: Outcome | None) -> dict[str, float]:
    if none is None or "psnr" not in none.numbers:
        return dict(outcome.numbers)
    return {**outcome.numbers, "gain": outcome.numbers["psnr"] - none.numbers["psnr"]}


def _means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of each number over the objects that have it."""
    names = {name for numbers in rows for name in numbers}
    return {name: statistics.fmean(numbers[name] for numbers in rows if name in numbers) for name in names}


def markdown(lines: Sequence[Line]) -> str:
    """The table: a block of rows for each group, then what was aimed at; what failed is told below."""
    titles = ["reference", *(title for _, title, _ in COLUMNS)]
    table = [titles, ["---"] * len(titles)]
    for number, line in enumerate(lines):
        if number and lines[number - 1].row.group != line.row.group:
            table.append([f"*{line.row.group}*", *[""] * len(COLUMNS)])
        table.append(_cells(line))
    failures = [
        f"{line.row.group}, {line.row.reference} failed. {' '.join(line.errors)}"
        for line in lines
        if line.errors
    ]
    rows = "\n".join(f"| {' | '.join(row)} |" for row in table)
    return "\n\n".join([rows, *([verdict] if (verdict := goals(lines)) else []), *failures])


def _cells(line: Line) -> list[str]:
    title = TITLES.get(line.row.reference, f"retrieved, {line.row.reference}")
    shown = {**line.numbers}
    if line.row.reference == NONE:
        shown.pop("gain", None)
    values = [
        ABSENT if key not in shown else form.format(shown[key]) + _give(line, key) for key, _, form in COLUMNS
    ]
    return [title, *values]


def _give(line: Line, key: str) -> str:
    """How far the seeds lie apart, where decibels are told."""
    return f" ± {line.spread[key]:.2f}" if key in ("psnr", "gain") and key in line.spread else ""


def goals(lines: Sequence[Line]) -> str:
    """The gains beside those that were aimed at, and those that the paper tells of its own data."""
    gains = {
        line.row.reference: line.numbers["gain"]
        for line in lines
        if line.row.group == SHIPPED and "gain" in line.numbers
    }
    sentences = [
        f"{TITLES.get(kind, f'retrieved, {kind}')} {gains[kind]:+.2f} dB (aim: at least {aim:+.1f}, "
        f"{'reached' if gains[kind] >= aim else 'missed'}; Phidias on its data: "
        f"{PAPER[kind] - PAPER[NONE]:+.2f})"
        for kind, aim in GOALS
        if kind in gains
    ]
    return f"Against no reference: {'; '.join(sentences)}." if sentences else ""


def document(lines: Sequence[Line], conditions: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers as they are stored: ``conditions``, the paper's PSNR, the aims, and a list of ``rows``."""
    rows = [
        {
            "group": line.row.group,
            "reference": line.row.reference,
            "objects": line.objects,
            **{name: round(value, 5) for name, value in line.numbers.items()},
            "spread": {name: round(value, 5) for name, value in line.spread.items()},
        }
        for line in lines
    ]
    return {"conditions": dict(conditions), "paper_psnr": PAPER, "aims_db": dict(GOALS), "rows": rows}
