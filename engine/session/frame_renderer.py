"""The frame thread: it renders pictures of the newest copy of a scene, one at a time, for whoever asks.

Each watcher of a job has a subscription. Asking puts a request into it (how to make the picture, and a key
that tells one view from another) and waits for a frame. No lock is held while a picture is made, and a
picture that cannot be made is a warning. Who want the same picture share one frame, and while a run goes all
frames together take ``SHARE`` of the time at most. A subscription that nobody has touched for a few seconds
is cleared away; with a job's last one the run is told that nobody looks.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Protocol

from engine.errors import StudioError
from engine.loop.messages import SceneCopy
from engine.session.frame_requests import FrameRequest, RenderedFrame, Subscription

FORGET_SECONDS = 5.0
RELOAD_SECONDS = 1.0  # how often to look whether a run that rests has left something to show
SHARE = 0.08  # of the frame thread's time while a run goes
LONGEST_REST_SECONDS = 1.0  # so that somebody who looks at a slow renderer still sees the shape change


class Archive(Protocol):
    """What the frame renderer asks of the session. ``watch``, ``busy``, ``can_load``
    and ``may_forget`` are quick and take no lock of its."""

    def load(self, token: str) -> SceneCopy | None:
        """The copy of a job that rests, from its folder; None if there is none (yet). Raises StudioError."""
        ...

    def can_load(self, token: str) -> bool:
        """Whether ``load`` would find a copy now."""
        ...

    def may_forget(self, token: str) -> bool:
        """Whether the job has ended and ``load`` can bring its copy back."""
        ...

    def busy(self) -> bool:
        """Whether a run goes now, and loses time to every picture."""
        ...

    def watch(self, token: str, on: bool) -> None:
        """Somebody looks at the job, or nobody does any more."""
        ...

    def warn(self, token: str, what: str, remedy: str) -> None:
        """Show this with the job."""
        ...


class FrameRenderer:
    """Subscriptions by (token, name of the watcher), and the newest copy of each job."""

    def __init__(self, archive: Archive, clock: Callable[[], float] = time.monotonic) -> None:
        self._archive, self._clock = archive, clock
        self._changed = threading.Condition()
        self._subscriptions: dict[tuple[str, str], Subscription] = {}
        self._copies: dict[str, SceneCopy] = {}
        self._asked_archive: dict[str, float] = {}  # token -> when it may be asked again
        self._serials, self._turns = count(1), count(1)
        self._closing = False
        self._rests_until = float("-inf")  # so that the run gets its share of the time
        self._thread = threading.Thread(target=self._work, name="frames", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Let all who wait go; the thread ends after the picture it is at."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the thread; False if it is still at a picture."""
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def offer(self, token: str, copy: SceneCopy) -> None:
        """A newer copy of a job's scene."""
        with self._changed:
            self._copies[token] = copy
            self._changed.notify_all()

    def newest(self, token: str) -> SceneCopy | None:
        """The newest copy that is in memory."""
        with self._changed:
            return self._copies.get(token)

    def tell_watched(self, token: str) -> None:
        """Tell the run whether somebody looks."""
        with self._changed:
            self._archive.watch(token, any(entry.token == token for entry in self._subscriptions.values()))

    def ask(
        self,
        token: str,
        name: str,
        request: FrameRequest,
        after: int,
        timeout_seconds: float,
        keep: bool = False,
    ) -> RenderedFrame | None:
        """The watcher's frame if it has a serial above ``after`` and is of what was asked for last, or of a
        newer request.

        Waits for that; None if it does not come in time. With ``keep`` it is made for the next time, though
        nobody waits.
        """
        with self._changed:
            entry = self._subscribed(token, name, request)
            entry.standing, entry.requested = entry.standing or keep, entry.requests
            return self._wait(entry, lambda: entry.answers(after), timeout_seconds)

    def change_request(self, token: str, name: str, request: FrameRequest) -> None:
        """The watcher, who may be waiting, wants this instead; returns at once."""
        with self._changed:
            self._subscribed(token, name, request)

    def newest_frame(
        self, token: str, name: str, request: FrameRequest, timeout_seconds: float
    ) -> RenderedFrame | None:
        """The watcher's frame; waits only where there is none yet, but could be. A newer one is made
        meanwhile.
        """
        with self._changed:
            entry = self._subscribed(token, name, request)
            entry.standing = True
            if entry.frame is None and token not in self._copies and not self._archive.can_load(token):
                return None
            return self._wait(entry, lambda: True, timeout_seconds)

    def _subscribed(self, token: str, name: str, request: FrameRequest) -> Subscription:
        if not any(entry.token == token for entry in self._subscriptions.values()):
            self._archive.watch(token, True)
        entry = self._subscriptions.setdefault((token, name), Subscription(token, self._clock()))
        if entry.request is None or entry.request.key != request.key:
            entry.requests += 1
        entry.request, entry.touched = request, self._clock()
        self._changed.notify_all()
        return entry

    def _wait(
        self, entry: Subscription, good: Callable[[], bool], timeout_seconds: float
    ) -> RenderedFrame | None:
        entry.waiting += 1
        try:
            in_time = self._changed.wait_for(
                lambda: self._closing or (entry.frame is not None and good()), timeout_seconds
            )
            return entry.frame if in_time and entry.frame is not None and good() else None
        finally:
            entry.waiting -= 1
            entry.touched = self._clock()

    def _work(self) -> None:
        while not self._closing:
            try:
                self._serve_one()
            except (
                Exception
            ):  # everybody looks through this thread: it goes on, whatever one of them asks for
                traceback.print_exc()
                time.sleep(RELOAD_SECONDS)

    def _serve_one(self) -> None:
        """One frame, or one look into the archive, or a wait for something to do."""
        with self._changed:
            self.clear_away()
            entry = self._next_subscription()
            if entry is None:
                if not self._closing:
                    self._changed.wait(self._idle_seconds())
                return
            entry.turn = next(self._turns)
            copy, request, number = self._copies.get(entry.token), entry.request, entry.requests
        if copy is None:
            self._reload(entry.token)
        elif request is not None:
            self._render(entry, copy, request, number)

    def _idle_seconds(self) -> float | None:
        """How long nothing will be to do unless something changes."""
        rest = self._rests_until - self._clock()
        if rest > 0:
            return min(rest, RELOAD_SECONDS)
        return RELOAD_SECONDS if self._subscriptions else None

    def clear_away(self) -> None:
        """Forget watchers that have left, and copies that can be had again."""
        with self._changed:
            watched = {entry.token for entry in self._subscriptions.values()}
            horizon = self._clock() - FORGET_SECONDS
            self._subscriptions = {
                key: entry
                for key, entry in self._subscriptions.items()
                if entry.waiting or entry.touched > horizon
            }
            still = {entry.token for entry in self._subscriptions.values()}
            for token in watched - still:
                self._archive.watch(token, False)
            for token in [
                token for token in self._copies if token not in still and self._archive.may_forget(token)
            ]:
                del self._copies[token]
                self._asked_archive.pop(token, None)

    def _next_subscription(self) -> Subscription | None:
        """The subscription that has waited longest and can be served, by a frame or by asking the archive for
        a copy.
        """
        now = self._clock()
        if now < self._rests_until and self._archive.busy():
            return None
        ready = [entry for entry in self._subscriptions.values() if self._can_serve(entry, now)]
        return min(ready, key=lambda entry: entry.turn, default=None)

    def _can_serve(self, entry: Subscription, now: float) -> bool:
        copy = self._copies.get(entry.token)
        if copy is None:
            return entry.wanted and now >= self._asked_archive.get(entry.token, now)
        return now >= entry.rests_until and entry.lacks(copy)

    def _reload(self, token: str) -> None:
        again = self._clock() + RELOAD_SECONDS
        try:
            copy = self._archive.load(token)
        except StudioError as error:
            self._warn(token, error.what, error.remedy)
            copy, again = None, float("inf")
        except Exception as error:
            self._warn(
                token,
                f"Its shape cannot be opened ({type(error).__name__}: {error}).",
                "Run its recipe again.",
            )
            copy, again = None, float("inf")
        with self._changed:
            self._asked_archive[token] = again
            if copy is not None:
                self._copies.setdefault(token, copy)
                self._changed.notify_all()

    def _render(self, entry: Subscription, copy: SceneCopy, request: FrameRequest, number: int) -> None:
        """Make the picture of the subscription's request with this ``number``, for it and for all that want
        the same.
        """
        began = self._clock()
        try:
            value = request.make(copy)
        except Exception as error:
            with self._changed:
                entry.failed = (copy, request.key)
            remedy = error.remedy if isinstance(error, StudioError) else "The run itself goes on."
            self._warn(
                entry.token, f"A picture could not be drawn ({type(error).__name__}: {error}).", remedy
            )
            return
        with self._changed:
            frame = RenderedFrame(next(self._serials), request.key, copy, value)
            for other in self._subscriptions.values():
                if other is entry or (
                    other.token == entry.token and other.lacks(copy) and other.asks_for(request.key)
                ):
                    other.frame, other.standing = frame, False
                    other.granted = number if other is entry else other.requests
                    other.rests_until = began + request.every_seconds
            self._rest(self._clock() - began)
            self._changed.notify_all()

    def _rest(self, seconds: float) -> None:
        """After a frame that took so long, leave the run its share of the time."""
        self._rests_until = self._clock() + min(
            seconds * (1 / SHARE - 1), max(LONGEST_REST_SECONDS, 3 * seconds)
        )

    def _warn(self, token: str, what: str, remedy: str) -> None:
        with suppress(Exception):  # the run was removed meanwhile
            self._archive.warn(token, what, remedy)
