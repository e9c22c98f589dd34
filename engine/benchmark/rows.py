"""One line of the benchmark: what was measured, against what, and what it should be."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

COMPARE = {"<=": operator.le, ">=": operator.ge}


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
        found = None if self.goal is None else self.ratio if self.goal.of == "ratio" else self.value
        return None if found is None else bool(COMPARE[self.goal.relation](found, self.goal.limit))

    def document(self) -> dict[str, Any]:
        """The row as it is stored."""
        goal = None if self.goal is None else {"of": self.goal.of, "relation": self.goal.relation, "limit": self.goal.limit}
        return {"name": self.name, "value": self.value, "unit": self.unit, "reference": self.reference, "against": self.against,
                "ratio": self.ratio, "goal": goal, "reached": self.reached, "note": self.note}  # fmt: skip


class Measured(Protocol):
    """A finished measurement."""

    def rows(self) -> tuple[Row, ...]:
        """What it has to say."""
        ...
