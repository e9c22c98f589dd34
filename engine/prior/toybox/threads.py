"""How many threads a network is fastest with just now: one on a busy machine, more where cores are idle.

Each operation of a small network ends in a meeting of its threads, so that a thread which has to wait for a
core holds up all others: two threads on idle cores halve the time, on busy ones they take several times as
long. Only a try tells.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

from engine.lazy import torch

Result = TypeVar("Result")

MOST_THREADS = 4
FIRST_PAUSE_CALLS, LONGEST_PAUSE_CALLS = 8, 256
"""Calls between two tries of another number of threads; the pause doubles each time that the other was
slower.
"""

SHORTEST_PAUSE_CALLS, HITCH = 2, 1.4
"""A call that takes ``HITCH`` times as long as the ones before brings the next try as near as that."""

GAIN = 0.92
"""The other number must take less than this share of the time."""


class FastestThreads:
    """Runs calls with the number of threads that is fastest at the moment, and tries the other number from
    time to time.
    """

    def __init__(self, most: int | None = None, clock: Callable[[], float] = time.perf_counter) -> None:
        self.most = spare_threads() if most is None else most
        self.clock = clock
        self.threads, self.pause, self.calls, self.seconds = 1, FIRST_PAUSE_CALLS, 0, float("inf")

    def run(self, call: Callable[[], Result], size: int = 1) -> Result:
        """The result of ``call``, whose work grows with ``size``."""
        if self.most == 1:
            return call()
        self.calls += 1
        trying = self.calls % self.pause == 0
        threads = self.other if trying else self.threads
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        began = self.clock()
        try:
            return call()
        finally:
            taken = (self.clock() - began) / size
            torch.set_num_threads(before)
            self._learn(threads, taken, trying)

    @property
    def other(self) -> int:
        """The number that is not in use."""
        return self.most if self.threads == 1 else 1

    def _learn(self, threads: int, taken: float, trying: bool) -> None:
        if not trying:
            if (
                taken > HITCH * self.seconds and self.pause > SHORTEST_PAUSE_CALLS
            ):  # somebody else has begun to work
                self.pause, self.calls = SHORTEST_PAUSE_CALLS, 0
            self.seconds = min(taken, 1.5 * self.seconds)  # no single hitch, but soon what lasts
        elif taken < GAIN * self.seconds:
            self.threads, self.seconds, self.pause, self.calls = threads, taken, FIRST_PAUSE_CALLS, 0
        else:
            self.pause, self.calls = min(2 * self.pause, LONGEST_PAUSE_CALLS), 0


def spare_threads() -> int:
    """The most threads that are worth a try: one where ``OMP_NUM_THREADS`` has decided."""
    return 1 if os.environ.get("OMP_NUM_THREADS") else min(MOST_THREADS, os.cpu_count() or 1)
