"""One camera for the two halves of a browser's stage: the live picture and the 3D viewport, which two servers draw.

Each page gives itself a name, by which both halves of it are known. Whichever half a hand moves leads for a moment; what the
other one reports meanwhile is the echo of that, and is not passed on.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Half = Literal["picture", "viewport"]
LEADS_SECONDS = 0.4
NAME = re.compile(r"[0-9a-f]{16,64}")


@dataclass(frozen=True)
class Orbit:
    """A camera that looks at the middle: degrees round it and above it, and how far away."""

    azimuth_deg: float
    elevation_deg: float
    distance: float


Listener = Callable[[Orbit], None]


@dataclass(eq=False)
class _Link:
    orbit: Orbit | None = None
    leader: Half = "picture"
    moved_at: float = float("-inf")
    listeners: dict[Half, list[Listener]] = field(default_factory=lambda: {"picture": [], "viewport": []})


def orbit_of(position: np.ndarray, look_at: np.ndarray) -> Orbit | None:
    """The orbit of a camera at ``position`` (3,) that looks at ``look_at`` (3,), z up; None where these are one point."""
    x, y, z = (float(value) for value in np.asarray(position, np.float64) - np.asarray(look_at, np.float64))
    distance = float(np.sqrt(x * x + y * y + z * z))
    if not np.isfinite(distance) or distance < 1e-6:
        return None
    return Orbit(float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arcsin(z / distance))), distance)


class LinkedCameras:
    """The links of all pages, by name; listeners are called without a lock, from whatever thread moves the other half."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._links: dict[str, _Link] = {}

    @contextmanager
    def joined(self, name: str, half: Half, listener: Listener) -> Iterator[None]:
        """While inside, ``listener`` hears of every move of the other half."""
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

    def orbit(self, name: str) -> Orbit | None:
        """Where a page's cameras stand; None while nobody has said."""
        with self._lock:
            return self._links[name].orbit if name in self._links else None

    def move(self, name: str, half: Half, orbit: Orbit) -> None:
        """One half was moved, or reports where it is."""
        with self._lock:
            link, now = self._links.get(name), self._clock()
            if link is None or (link.leader != half and now - link.moved_at < LEADS_SECONDS):
                return
            link.orbit, link.leader, link.moved_at = orbit, half, now
            listeners = list(link.listeners["viewport" if half == "picture" else "picture"])
        for listener in listeners:
            listener(orbit)
