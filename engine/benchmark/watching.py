"""Steps a second with and without someone who watches."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from engine.benchmark.report import Goal, Row
from engine.benchmark.sessions import begin_refining, hasty, open_session, page_camera, seconds_of_steps
from engine.benchmark.timing import Comparison, interleaved
from engine.core.camera import Camera
from engine.loop.settings import Settings
from engine.prior.base import Prior
from engine.session import Session

GOAL = Goal(">=", 0.95)
SIDE_SECONDS, WAIT_SECONDS = 1.0, 0.5


@dataclass(frozen=True)
class Watching:
    """Seconds a step of a watched run (values) and of one nobody looks at (references); ``pictures_a_second``
    were seen.
    """

    seconds: Comparison
    pictures_a_second: float

    def rows(self) -> tuple[Row, ...]:
        name = f"a run watched at {self.pictures_a_second:.1f} pictures/s"
        row = Row("watching", name, 1 / self.seconds.value, "it/s", 1 / self.seconds.reference,
                  "nobody watches", self.seconds.speed_up, GOAL)  # fmt: skip
        return (row,)


class Watcher(threading.Thread):
    """Looks at a run as a browser with the page does: at each new picture, and at the strip once a second."""

    def __init__(self, session: Session, token: str, camera: Camera) -> None:
        super().__init__(name="watcher", daemon=True)
        self.session, self.token, self.camera = session, token, camera
        self.pictures, self.seconds, self.began = 0, 0.0, time.monotonic()
        self._left = threading.Event()

    def run(self) -> None:
        side_due, serial = 0.0, -1
        while not self._left.is_set():
            if time.monotonic() >= side_due:
                self.session.strip(self.token)
                side_due = time.monotonic() + SIDE_SECONDS
            frame = self.session.frame(self.token, self.name, self.camera, serial, WAIT_SECONDS)
            if frame is not None:
                serial, self.pictures = frame.serial, self.pictures + 1

    def leave(self) -> None:
        """Look away, and wait until that is done."""
        self._left.set()
        self.join()
        self.seconds = time.monotonic() - self.began


def measure_watching(settings: Settings, prior: Prior, pairs: int, steps: int) -> Watching:
    """Two runs in turns, one of which is watched through the session, ``steps`` steps at a time."""
    settings, arrivals = hasty(settings), []
    with open_session(prior) as session:
        quiet, watched = (_resting(session, settings) for _ in range(2))

        def unwatched_turn() -> float:
            with _going(session, quiet):
                return seconds_of_steps(session, quiet, steps)

        def watched_turn() -> float:
            watcher = Watcher(session, watched, page_camera(prior))
            with _going(session, watched):
                watcher.start()
                try:
                    return seconds_of_steps(session, watched, steps)
                finally:
                    watcher.leave()
                    arrivals.append(watcher)

        seconds = interleaved((watched_turn, unwatched_turn), pairs)
    pictures = sum(watcher.pictures for watcher in arrivals) / sum(watcher.seconds for watcher in arrivals)
    return Watching(Comparison(*seconds), pictures)


def _resting(session: Session, settings: Settings) -> str:
    token = begin_refining(session, settings)
    session.pause(token)
    return token


@contextmanager
def _going(session: Session, token: str) -> Iterator[None]:
    session.resume(token)
    try:
        yield
    finally:
        session.pause(token)
