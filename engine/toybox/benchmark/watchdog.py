"""A worker process that must not outlive the process that started it, however that one ends."""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing.connection import wait

EXIT_STATUS = 1


def end_with_parent() -> None:
    """From now on, end this process at once when its parent is gone, also if that was killed. Call it in a worker process."""
    threading.Thread(target=_await_parent, name="watchdog", daemon=True).start()


def _await_parent() -> None:
    """The operating system closes a dead parent's end of the pipe on which this waits."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(EXIT_STATUS)
