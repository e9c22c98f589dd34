"""The live settings that a run had before each change, so that a change that did harm can be taken back.

A slider that is dragged makes a hundred changes; together they are one to undo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import InputError
from engine.loop.recipe import changed_values
from engine.loop.settings import Settings, Value, flatten_knobs, with_values
from engine.loop.spec import Knobs
from engine.session.record import JobRecord

ONE_MOVE_SECONDS = 1.5  # changes of the same settings that follow within this time are one move
MOST_MOVES = 50


@dataclass(frozen=True)
class Undo:
    """``moves`` are the knobs before each move, oldest first; ``names`` what the newest moved, at ``seconds``
    the last time.
    """

    moves: tuple[Knobs, ...] = ()
    names: frozenset[str] = frozenset()
    seconds: float = float("-inf")

    def after(self, before: Knobs, now: Knobs, seconds: float) -> Undo:
        """With the change from ``before`` to ``now``, made at ``seconds`` on any clock."""
        names = frozenset(changed_values(before, now))
        if not names:
            return self
        goes_on = bool(self.moves) and names == self.names and seconds - self.seconds < ONE_MOVE_SECONDS
        moves = self.moves if goes_on else (*self.moves, before)[-MOST_MOVES:]
        return Undo(moves, names, seconds)

    def taken_back(self) -> Undo:
        """Without the newest move."""
        return Undo(self.moves[:-1])

    def values(self, now: Knobs) -> dict[str, Value]:
        """What taking back the newest move would set, by name; empty where there is none."""
        return changed_values(now, self.moves[-1]) if self.moves else {}


def changed_knobs(record: JobRecord, values: Mapping[str, Value]) -> Knobs:
    """The live settings of a job with the named values. Raises InputError for one that needs a new run."""
    knobs = with_values(Settings(record.settings.spec, record.knobs), values).knobs
    fixed = [name for name in values if name not in flatten_knobs(knobs)]
    if fixed:
        raise InputError(
            f"{', '.join(fixed)} cannot change while a run is going.",
            "Press Generate to start a new run with it.",
        )
    return knobs
