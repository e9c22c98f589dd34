"""The box between whoever steers a run and the run: it keeps only the newest command of each type.

A thousand slider events between two steps become one. ``post`` and ``take`` may be called from any thread and never block for
longer than it takes to touch a small dictionary.
"""

from __future__ import annotations

import threading

from engine.loop.messages import Command, SetKnobs


class CommandQueue:
    """Commands in the order in which their types were first posted since the box was last emptied."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[type[Command], Command] = {}
        self._revision = 0

    def post(self, command: Command) -> None:
        """Leave a command; it replaces an unread one of its type. Knobs older than any seen before are dropped."""
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
