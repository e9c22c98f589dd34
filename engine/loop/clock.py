"""How long things take in a run that may be paused at any moment."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(eq=False)
class Clock:
    """Laps that leave out the time in between; ``pace`` is seconds a lap, smoothed over about ten laps."""

    pace: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    last: dict[str, float] = field(default_factory=dict)

    def restart(self) -> None:
        """Begin another kind of lap: forget the pace."""
        self.pace = 0.0
        self.skip()

    def skip(self) -> None:
        """The next lap begins now."""
        self.began = time.perf_counter()

    def lap(self) -> float:
        """Seconds of the lap that ends now."""
        seconds = time.perf_counter() - self.began
        self.pace = seconds if self.pace == 0 else 0.9 * self.pace + 0.1 * seconds
        self.skip()
        return seconds

    def due(self, what: str, every_seconds: float) -> bool:
        """True at most once in ``every_seconds``; the first time at once."""
        now = time.perf_counter()
        if now - self.last.get(what, float("-inf")) < every_seconds:
            return False
        self.last[what] = now
        return True
