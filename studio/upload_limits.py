"""Uploads, on their way to Gradio: counted for whoever sends them, and cleared away where they were cut
short.

Gradio keeps what it received of a file whose connection broke, for ever, and bounds each file but not their
sum.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.session.limits import Limits
from studio.guard import client_of

UPLOAD = "/upload"
SETTLED_SECONDS = 60.0  # nothing writes any more into a file that has been left alone for so long


class TooMuch(Exception):
    """More was sent than may be."""


class Sent:
    """How many bytes each client has sent within the last ``window_seconds``."""

    def __init__(self, most: int, window_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.window_seconds, self._clock = most, window_seconds, clock
        self._parts: defaultdict[str, deque[tuple[float, int]]] = defaultdict(deque)

    def left(self, client: str) -> int:
        """How many bytes may still come from a client now."""
        parts, horizon = self._parts[client], self._clock() - self.window_seconds
        while parts and parts[0][0] < horizon:
            parts.popleft()
        left = self.most - sum(size for _, size in parts)
        if not parts:
            del self._parts[client]
        return left

    def add(self, client: str, size: int) -> None:
        """So much came; what comes within one second is one entry."""
        parts, now = self._parts[client], self._clock()
        if parts and now - parts[-1][0] < 1:
            parts[-1] = (parts[-1][0], parts[-1][1] + size)
        else:
            parts.append((now, size))


class Receiving:
    """ASGI middleware before the uploads that Gradio keeps in ``folder``."""

    def __init__(self, app: ASGIApp, folder: Path, limits: Limits) -> None:
        self.app, self.folder, self.limits = app, folder, limits
        self.sent = Sent(limits.upload_bytes_per_client, limits.upload_window_seconds)
        self.going = 0
        clear_uploads(folder, limits.upload_keep_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] != "POST"
            or not scope["path"].rstrip("/").endswith(UPLOAD)
        ):
            await self.app(scope, receive, send)
            return
        client, answered = client_of(scope), False
        began = time.time()

        async def counted() -> Message:
            message = await receive()
            self.sent.add(client, len(message.get("body", b"")))
            if self.sent.left(client) < 0:
                raise TooMuch
            return message

        async def noted(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        self.going += 1
        try:
            self._check(client, Headers(scope=scope))
            await self.app(scope, counted, noted)
        except TooMuch:
            if not answered:
                await PlainTextResponse(
                    "That is more than may be uploaded now. Wait an hour, or send smaller files.", 413
                )(scope, receive, send)
        except ClientDisconnect:
            pass  # who sent it has left, and nobody is to be told
        finally:
            self.going -= 1
            clear_parts(self.folder, began if self.going == 0 else None)

    def _check(self, client: str, headers: Headers) -> None:
        """Raises TooMuch before anything is read, where the sender says how much is to come."""
        length = headers.get("content-length", "")
        coming = int(length) if length.isascii() and length.isdigit() else 0
        if coming > self.sent.left(client) or bytes_in(self.folder) + coming > self.limits.uploads_bytes:
            raise TooMuch


def bytes_in(folder: Path) -> int:
    """How much a folder holds."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size if not path.is_dir() else 0
    return total


def clear_parts(folder: Path, since: float | None = None) -> None:
    """Remove what was received in part: files that lie in no folder of their own, untouched for a while.

    ``since`` is given while nothing is being received; then newer ones than that are left-overs, too.
    """
    now = time.time()
    for path in folder.glob("tmp*"):
        with suppress(OSError):
            changed = path.lstat().st_mtime
            if path.is_file() and (
                changed < now - SETTLED_SECONDS or (since is not None and changed >= since - 1)
            ):
                path.unlink()


def clear_uploads(folder: Path, keep_seconds: float) -> None:
    """Remove parts, and uploads that are older than that; runs keep copies of their own."""
    clear_parts(folder)
    for path in folder.glob("*"):
        with suppress(OSError):
            if path.is_dir() and not path.is_symlink() and path.stat().st_mtime < time.time() - keep_seconds:
                rmtree(path, ignore_errors=True)
