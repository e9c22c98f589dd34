"""Whose turn it is: owners take turns, and one owner's jobs run first come, first served."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Ticket:
    """A waiting job. ``rank`` orders the jobs of one owner; (0, n) goes before (1, n), for jobs that were paused."""

    rank: tuple[int, int]
    owner: str
    token: str


def turn_order(tickets: Iterable[Ticket], last_served: Mapping[str, int]) -> list[str]:
    """Tokens in the order in which they would run.

    ``last_served`` maps an owner to the number of the turn that was theirs last; who was never served, or longest ago, is next.
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
