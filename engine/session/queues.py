"""Queues: commands to a run, which supersede each other; and jobs, whose owners take turns."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.loop.messages import Command, SetKnobs


class CommandQueue:
    """Commands in the order in which their types were first posted since the box was last emptied."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[type[Command], Command] = {}
        self._revision = 0

    def post(self, command: Command) -> None:
        """Leave a command; it replaces an unread one of its type. Knobs older than any seen before are
        dropped.
        """
        with self._lock:
            if isinstance(command, SetKnobs):
                if command.revision < self._revision:
                    return
                self._revision = command.revision
            self._waiting[type(command)] = command

    def take(self) -> list[Command]:
        """Everything that waits, and empty the box."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        return list(waiting.values())


@dataclass(frozen=True, order=True)
class Ticket:
    """A waiting job. ``rank`` orders the jobs of one owner; (0, n) goes before (1, n), for jobs that were
    paused.
    """

    rank: tuple[int, int]
    owner: str
    token: str


def turn_order(tickets: Iterable[Ticket], last_served: Mapping[str, int]) -> list[str]:
    """Tokens in the order in which they would run.

    ``last_served`` maps an owner to the number of the turn that was theirs last; who was never served, or
    longest ago, is next.
    """
    waiting: dict[str, list[Ticket]] = {}
    for ticket in sorted(tickets):
        waiting.setdefault(ticket.owner, []).append(ticket)
    served = dict(last_served)
    turn = max(served.values(), default=0)
    order = []
    while waiting:
        owner = min(waiting, key=lambda name: (served.get(name, 0), waiting[name][0]))
        order.append(waiting[owner].pop(0).token)
        turn += 1
        served[owner] = turn
        if not waiting[owner]:
            del waiting[owner]
    return order
