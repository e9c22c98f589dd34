"""What the two halves of a browser's stage have in common: the live picture and the 3D viewport, which two
servers draw.

Each page gives itself a name, by which both halves of it are known.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

Half = Literal["picture", "viewport"]
Value = TypeVar("Value")


@dataclass(eq=False)
class _Link(Generic[Value]):
    value: Value | None = None
    leader: Half = "picture"
    moved_at: float = float("-inf")
    listeners: dict[Half, list[Callable[[Value], object]]] = field(
        default_factory=lambda: {"picture": [], "viewport": []}
    )


class Linked(Generic[Value]):
    """One value of each page, by the page's name. Whichever half changes it leads for ``leads_seconds``; what
    the other one reports meanwhile is the echo of that, and is not passed on.

    Listeners are called without a lock, from whatever thread moves the other half.
    """

    def __init__(self, leads_seconds: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._leads_seconds, self._clock, self._lock = leads_seconds, clock, threading.Lock()
        self._links: dict[str, _Link[Value]] = {}

    @contextmanager
    def joined(self, name: str, half: Half, listener: Callable[[Value], object]) -> Iterator[None]:
        """While inside, ``listener`` hears of every change by the other half."""
        with self._lock:
            self._links.setdefault(name, _Link()).listeners[half].append(listener)
        try:
            yield
        finally:
            with self._lock:
                link = self._links[name]
                link.listeners[half].remove(listener)
                if not any(link.listeners.values()):
                    del self._links[name]

    def value(self, name: str) -> Value | None:
        """That of a page; None while nobody has said."""
        with self._lock:
            return self._links[name].value if name in self._links else None

    def move(self, name: str, half: Half, value: Value) -> None:
        """One half was changed, or reports what it has."""
        with self._lock:
            link, now = self._links.get(name), self._clock()
            if link is None or (link.leader != half and now - link.moved_at < self._leads_seconds):
                return
            link.value, link.leader, link.moved_at = value, half, now
            listeners = list(link.listeners["viewport" if half == "picture" else "picture"])
        for listener in listeners:
            listener(value)
