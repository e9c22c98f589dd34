"""Downloads of priors, one at a time, in a thread of their own: whoever looks sees how far it is, anybody may
end it.

What was fetched is kept when a download ends early, and the next one goes on from there.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from engine.errors import InputError, StudioError
from engine.prior.entries import PriorEntry
from engine.prior.hub import Cancelled, Report, target_folder

State = Literal["running", "done", "failed", "cancelled"]
MEGABYTE = 1_000_000
PACE_SECONDS = 10.0  # the speed that is shown is that of so long


@dataclass(frozen=True)
class Offer:
    """A prior that can be fetched, and what a person should know before: its size, its ``licence``, its
    ``page``, and where to.

    ``gated``: the publisher asks everyone to accept the licence on that page first.
    """

    id: str
    title: str
    size_mb: int
    licence: str
    page: str
    target: Path
    gated: bool = False


def offer_of(entry: PriorEntry) -> Offer:
    """What fetching a Hub entry takes."""
    page, target = f"https://huggingface.co/{entry.source}", target_folder(entry.source)
    return Offer(entry.id, entry.title, entry.size_mb, entry.licence, page, target, entry.gated)


@dataclass(frozen=True)
class Download:
    """A download as it is now. ``share`` is 0..1; ``eta_seconds`` is None until there is a speed; ``error``
    is (what, remedy).
    """

    offer: Offer
    state: State = "running"
    share: float = 0.0
    bytes_per_second: float = 0.0
    path: Path | None = None
    error: tuple[str, str] | None = None

    @property
    def bytes(self) -> int:
        """About how much is there."""
        return round(self.share * self.offer.size_mb * MEGABYTE)

    @property
    def eta_seconds(self) -> float | None:
        """About how long it still takes."""
        left = (1 - self.share) * self.offer.size_mb * MEGABYTE
        return left / self.bytes_per_second if self.bytes_per_second > 0 else None


@dataclass(eq=False)
class Pace:
    """Bytes per second over the last ``PACE_SECONDS``."""

    marks: deque[tuple[float, float]] = field(default_factory=deque)

    def after(self, now: float, done: float) -> float:
        """The speed when ``done`` bytes are there at the time ``now`` in seconds."""
        self.marks.append((now, done))
        while len(self.marks) > 2 and self.marks[0][0] < now - PACE_SECONDS:
            self.marks.popleft()
        (begin, first), (end, last) = self.marks[0], self.marks[-1]
        return (last - first) / (end - begin) if end > begin else 0.0


class Fetching:
    """What can be fetched and the newest download. ``fetch(id, report)`` fetches; ``is_here(id)`` asks the
    disk.
    """

    def __init__(
        self,
        offers: Mapping[str, Offer],
        fetch: Callable[[str, Report], Path],
        is_here: Callable[[str], bool],
    ) -> None:
        self._offers, self._fetch, self._is_here = dict(offers), fetch, is_here
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._download: Download | None = None
        self._thread: threading.Thread | None = None

    def offer(self, prior_id: str) -> Offer | None:
        """What is offered for a prior; None if it is here already or cannot be fetched."""
        return None if self.has(prior_id) else self._offers.get(prior_id)

    def has(self, prior_id: str) -> bool:
        """Whether a prior that could be fetched is here."""
        return prior_id in self._offers and self._is_here(prior_id)

    def view(self) -> Download | None:
        """The download that goes, or else the last one."""
        with self._changed:
            return self._download

    def start(self, prior_id: str) -> None:
        """Begin to fetch, or go on with it. Raises InputError if it cannot be fetched, or while another
        download goes.
        """
        with self._changed:
            if self._download is not None and self._download.state == "running":
                if self._download.offer.id == prior_id:
                    return
                raise InputError(
                    f"{self._download.offer.title} is being fetched.", "Wait until it is there, or cancel it."
                )
            offer = self.offer(prior_id)
            if offer is None:
                raise InputError(
                    f"There is nothing to fetch for {prior_id!r}.",
                    "Choose a prior that is not on this machine.",
                )
            self._ending.clear()
            self._download = Download(offer)
            self._thread = threading.Thread(target=self._work, args=(offer,), name="fetching", daemon=True)
            self._thread.start()

    def cancel(self) -> None:
        """End the download; what was fetched is kept."""
        self._ending.set()

    def wait(self, timeout_seconds: float | None = None) -> Download | None:
        """The download once it has ended, or after ``timeout_seconds``."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._download is None or self._download.state != "running", timeout_seconds
            )
            return self._download

    def close(self, timeout_seconds: float = 5.0) -> bool:
        """Cancel, and wait for the thread to end; False if it does not in time."""
        self.cancel()
        if self._thread is not None:
            self._thread.join(timeout_seconds)
        return self._thread is None or not self._thread.is_alive()

    def _work(self, offer: Offer) -> None:
        pace = Pace()

        def report(share: float) -> None:
            if self._ending.is_set():
                raise Cancelled(
                    f"The download of {offer.title} was ended.",
                    "What was fetched is kept; start it again to go on.",
                )
            speed = pace.after(time.monotonic(), share * offer.size_mb * MEGABYTE)
            self._update(share=share, bytes_per_second=speed)

        try:
            self._update(state="done", share=1.0, path=self._fetch(offer.id, report))
        except Cancelled as error:
            self._update(state="cancelled", error=(error.what, error.remedy))
        except StudioError as error:
            self._update(state="failed", error=(error.what, error.remedy))
        except Exception as error:
            traceback.print_exc()
            self._update(
                state="failed",
                error=(f"The download failed ({type(error).__name__}: {error}).", "Start it again."),
            )

    def _update(self, **changes: Any) -> None:
        with self._changed:
            if self._download is not None:
                self._download = replace(self._download, **changes)
            self._changed.notify_all()
