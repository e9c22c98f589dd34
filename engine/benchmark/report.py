"""The benchmark's rows as one table to read and one document to store."""

from __future__ import annotations

import operator
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch

from engine.loop.devices import cuda_name

COMPARE = {"<=": operator.le, ">=": operator.ge}

HEADINGS = ("", "measured", "reference", "", "ratio", "goal", "reached")
FOOT = """Medians of repeats taken in turns, with the median of the pairs' ratios; of the split, means.
Renderers and the split are measured in processor seconds where there is no GPU,
all else by the clock on the wall."""


@dataclass(frozen=True)
class Goal:
    """What a row's ratio or value should be."""

    relation: Literal["<=", ">="]
    limit: float
    of: Literal["ratio", "value"] = "ratio"


@dataclass(frozen=True)
class Row:
    """``value`` and ``reference`` in ``unit``; ``against`` says in words what the reference is.

    A row without a value was not measured, and its ``note`` says why.
    """

    key: str
    name: str
    value: float | None = None
    unit: str = ""
    reference: float | None = None
    against: str = ""
    ratio: float | None = None
    goal: Goal | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the goal is; None without a goal or a measurement."""
        if self.goal is None:
            return None
        reached = self.ratio if self.goal.of == "ratio" else self.value
        return None if reached is None else bool(COMPARE[self.goal.relation](reached, self.goal.limit))

    def document(self) -> dict[str, Any]:
        """The row as it is stored."""
        goal = (
            None
            if self.goal is None
            else {"of": self.goal.of, "relation": self.goal.relation, "limit": self.goal.limit}
        )
        return {"name": self.name, "value": self.value, "unit": self.unit, "reference": self.reference,
            "against": self.against,
                "ratio": self.ratio, "goal": goal, "reached": self.reached, "note": self.note}  # fmt: skip


class Measured(Protocol):
    """A finished measurement."""

    def rows(self) -> tuple[Row, ...]:
        """What it has to say."""
        ...


def table(rows: Sequence[Row], machine: dict[str, Any]) -> str:
    """Every row on one line, in columns; the machine above, how to read it below."""
    lines = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    padded = [
        "  ".join(_aligned(cell, width, i) for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
        for line in lines
    ]
    facts = ", ".join(f"{name} {value}" for name, value in machine.items())
    return "\n".join([facts, "", padded[0], "-" * max(map(len, padded)), *padded[1:], "", FOOT])


def document(rows: Sequence[Row], machine: dict[str, Any], quick: bool, seconds: float) -> dict[str, Any]:
    """``rows`` by key, what they were measured on, and how long all of it took."""
    return {
        "machine": machine,
        "quick": quick,
        "seconds": round(seconds, 1),
        "rows": {row.key: row.document() for row in rows},
    }


def machine_facts() -> dict[str, Any]:
    """What the numbers depend on. ``load`` is how many programs wanted a processor in the minute before."""
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else "unknown"
    return {
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": cuda_name() or "none",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load": load,
    }


def _cells(row: Row) -> tuple[str, ...]:
    if row.value is None:
        return (row.name, "", row.note, *[""] * 4)
    measured = f"{_number(row.value)} {row.unit}"
    reference = "" if row.reference is None else f"{_number(row.reference)} {row.unit}"
    ratio = "" if row.ratio is None else f"{_number(row.ratio)} x"
    reached = {None: "", True: "yes", False: "no"}[row.reached]
    return (row.name, measured, row.against, reference, ratio, _goal(row.goal, row.unit), reached)


def _goal(goal: Goal | None, unit: str) -> str:
    if goal is None:
        return ""
    return f"{goal.relation} {_number(goal.limit)} {'x' if goal.of == 'ratio' else unit}"


def _number(value: float) -> str:
    """Three digits that mean something."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _aligned(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column in (0, 2) else cell.rjust(width)
