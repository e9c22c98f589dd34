"""Fetch one large file over HTTP so that it can be interrupted: what has come stays, and the next try goes on
from there.

The Hub's own client begins a file anew. A file is only put in its place when its SHA-256 is the one that was
announced.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.errors import MissingError

CHUNK = 1 << 20
TRIES = 5  # in a row without a new byte
PAUSE_SECONDS = 0.5  # before the second try, doubled for each further one
TIMEOUT_SECONDS = 30
PART = ".part"


def transfer(
    url: str, headers: Mapping[str, str], target: Path, size: int, sha256: str, saw: Callable[[int], object]
) -> None:
    """Fetch ``size`` bytes to ``target``; ``saw`` is told how many are there, and may raise to end it. What
    has come is kept.

    Raises MissingError for a file that arrived damaged, which is deleted; OSError if it cannot be fetched or
    stored.
    """
    part = target.with_name(target.name + PART)
    target.parent.mkdir(parents=True, exist_ok=True)
    if part.exists() and part.stat().st_size > size:
        part.unlink()
    failures = 0
    while (there := _size(part)) < size:
        try:
            _go_on(url, headers, part, size, saw)
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                raise
            failures = failures + 1 if _size(part) == there else 1
            if failures >= TRIES:
                raise
            time.sleep(PAUSE_SECONDS * 2 ** (failures - 1))
    if sha256_of(part) != sha256:
        part.unlink()
        raise MissingError(
            f"{url} arrived damaged: its SHA-256 is not the one that was announced.",
            "Fetch it again; the damaged file was deleted.",
        )
    os.replace(part, target)


def _go_on(url: str, headers: Mapping[str, str], part: Path, size: int, saw: Callable[[int], object]) -> None:
    """One connection: append from where ``part`` ends, or begin anew where the server does not know
    ranges.
    """
    there = _size(part)
    request_headers = {
        **headers,
        "Accept-Encoding": "identity",
        **({"Range": f"bytes={there}-"} if there else {}),
    }
    with urllib.request.urlopen(
        urllib.request.Request(url, headers=request_headers), timeout=TIMEOUT_SECONDS
    ) as answer:
        appended = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        with part.open("ab" if appended else "wb") as file:
            done = there if appended else 0
            saw(done)
            while done < size and (chunk := answer.read(min(CHUNK, size - done))):
                file.write(chunk)
                done += len(chunk)
                saw(done)
    if done < size:
        raise ConnectionResetError(f"the connection ended after {done:,} of {size:,} bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def git_sha1_of(path: Path) -> str:
    """How git names a file's content, as the Hub announces it for small files."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
