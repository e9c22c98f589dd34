"""What every comparison does: find names in a list, and measure the cells that its store does not hold
yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from engine.errors import InputError
from engine.toybox.benchmark.workers import each_of

Progress = Callable[[int, int, float], None]
"""Told how many are done, how many were missing, and the seconds that took."""


class Keyed(Protocol):
    """A cell, or its outcome; ``digest`` is of the settings and weights that belong to it."""

    @property
    def key(self) -> str: ...

    @property
    def digest(self) -> str: ...


Cell = TypeVar("Cell", bound=Keyed)
Outcome = TypeVar("Outcome", bound=Keyed)


class Store(Protocol[Outcome]):
    """Keeps outcomes in a folder; the modules called ``store`` are such."""

    def add(self, folder: Path, outcome: Outcome) -> None: ...

    def load(self, folder: Path, wanted: Mapping[str, str]) -> dict[str, Outcome]: ...


def names_in(given: str, what: str, known: Sequence[str]) -> tuple[str, ...]:
    """The names in a list with commas, each once. Raises InputError for one that is not ``known``."""
    names = tuple(dict.fromkeys(name.strip() for name in given.split(",")))
    for name in names:
        if name not in known:
            raise InputError(f"There is no {what} {name!r} to compare.", f"Choose among {', '.join(known)}.")
    return names


def measured(
    cells: Sequence[Cell],
    measure: Callable[[Cell], Outcome],
    store: Store[Outcome],
    folder: Path,
    processes: int,
    progress: Progress,
) -> dict[str, Outcome]:
    """Outcomes by key: those that the folder holds, and the others, each kept there as soon as it is
    ready.
    """
    outcomes = store.load(folder, {cell.key: cell.digest for cell in cells})
    missing = [cell for cell in cells if cell.key not in outcomes]
    began = time.monotonic()
    for done, outcome in enumerate(
        each_of(measure, missing, min(processes, len(missing))) if missing else (), start=1
    ):
        store.add(folder, outcome)
        outcomes[outcome.key] = outcome
        progress(done, len(missing), time.monotonic() - began)
    return outcomes
