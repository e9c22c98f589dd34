"""Live changes that a run makes by itself at their steps: those of the recipe that it repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.errors import InputError
from engine.loop.recipe import Change
from engine.loop.settings import Settings, Value, with_values
from engine.session.record import JobRecord
from engine.session.undo import changed_knobs

MOST_CHANGES = 2_000


def with_due(record: JobRecord, next_step: int) -> JobRecord:
    """The record with the changes made, as one revision, that are in force from ``next_step`` on; itself
    where there are none.
    """
    due = [change for change in record.schedule if change.total_step <= next_step]
    if not due:
        return record
    knobs = record.knobs
    for change in due:
        knobs = with_values(Settings(record.settings.spec, knobs), change.values).knobs
    return replace(record, knobs=knobs, revision=record.revision + 1, schedule=record.schedule[len(due) :])


def with_schedule(record: JobRecord, changes: Sequence[Change]) -> JobRecord:
    """The record of a run that will make these changes. Raises InputError for what cannot change while a run
    goes.
    """
    if len(changes) > MOST_CHANGES:
        raise InputError(
            f"{len(changes)} live changes are too many; {MOST_CHANGES} are made again.",
            "Use the original recipe.",
        )
    ordered = tuple(sorted(changes, key=lambda change: (change.total_step, change.revision)))
    changed = record
    for change in ordered:
        changed = replace(changed, knobs=changed_knobs(changed, change.values))
    return replace(record, schedule=ordered)


def changes_of(rows: Sequence[Any]) -> tuple[Change, ...]:
    """From plain rows, as `rows_of` makes them. Raises ValueError or TypeError for what is none."""
    return tuple(_change(number, *row) for number, row in enumerate(rows))


def rows_of(changes: Sequence[Change]) -> list[tuple[int, dict[str, Value]]]:
    """(total_step, values by name) of each."""
    return [(change.total_step, dict(change.values)) for change in changes]


def _change(number: int, total_step: Any, values: Any) -> Change:
    if (
        not isinstance(total_step, int)
        or isinstance(total_step, bool)
        or total_step < 0
        or not isinstance(values, Mapping)
    ):
        raise ValueError(f"change {number} is no step and values")
    return Change(total_step, number + 1, {str(name): value for name, value in values.items()})
