"""What many watchers of one run share: its status and its pictures are made once, however many look.

Each message that is sent costs the engine a little of the processor, too. While a run goes, all watchers
together get so many a second, and each its part of them; once nothing goes, everybody gets all there is.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from engine.session import Session
from studio.status import status_of

STATUS_SECONDS = 0.1
FEW = 6
KEPT_MESSAGES, KEPT_STATUSES = 64, 256


class Shared:
    """Messages about the runs of ``session``; ``per_second`` pictures, and as many statuses, go to all
    watchers together.
    """

    def __init__(
        self, session: Session, per_second: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.session, self.per_second, self._clock = session, per_second, clock
        self._lock = threading.Lock()
        self._watchers = 0
        self._statuses: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._messages: OrderedDict[Hashable, bytes] = OrderedDict()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While inside, there is one watcher more."""
        with self._lock:
            self._watchers += 1
        try:
            yield
        finally:
            with self._lock:
                self._watchers -= 1

    def pause_seconds(self) -> float:
        """How far apart the messages to one watcher are to be now."""
        return self._watchers / self.per_second if self.session.busy() else 0.0

    @property
    def crowded(self) -> bool:
        """Whether so many look that none may keep a thread waiting for a picture."""
        return self._watchers > FEW

    def poll_seconds(self) -> float:
        """How long to leave it before asking again, where nothing was there and nobody waited for it."""
        return self._watchers / self.per_second if self.crowded else 0.0

    def status(self, token: str) -> str:
        """The run's status as JSON, at most ``STATUS_SECONDS`` old. Raises InputError for an unknown run."""
        now = self._clock()
        with self._lock:
            made, text = self._statuses.get(token, (-1.0, ""))
        if text and now - made < STATUS_SECONDS:
            return text
        text = json.dumps(status_of(self.session.view(token)), allow_nan=False)
        with self._lock:
            _keep(self._statuses, token, (now, text), KEPT_STATUSES)
        return text

    def message(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """What ``make`` made for the first that asked for ``key``. Two that ask at once may both make it."""
        with self._lock:
            message = self._messages.get(key)
        if message is None:
            message = make()
            with self._lock:
                _keep(self._messages, key, message, KEPT_MESSAGES)
        return message


def _keep(store: OrderedDict, key: Hashable, value: object, most: int) -> None:
    """The newest ``most`` stay."""
    store[key] = value
    store.move_to_end(key)
    while len(store) > most:
        store.popitem(last=False)
