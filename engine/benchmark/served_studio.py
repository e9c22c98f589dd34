"""A studio in a process of its own, and its answers over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from engine.benchmark.page_start import PATIENCE_SECONDS, ROOT, free_port
from engine.errors import RunError


class Studio:
    """The studio at ``url`` in the process ``number``, as far as benchmarks need it."""

    def __init__(self, url: str, number: int) -> None:
        self.url, self._process = url, psutil.Process(number)
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the API. Raises OSError."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": "Bearer benchmark", "Content-Type": "application/json"}
        return json.loads(self._answer(f"/api/v1{path}", headers, method, content) or b"null")

    def get(self, path: str, headers: Mapping[str, str]) -> bytes:
        """What a browser gets from the page's own address ``path``. Raises OSError."""
        return self._answer(path, headers, "GET", None)

    def steps(self, token: str) -> int:
        """How many steps the run has taken."""
        return int(self.call("GET", f"/runs/{token}")["total_step"])

    def processor_seconds(self) -> float:
        """Of its process, so far."""
        times = self._process.cpu_times()
        return times.user + times.system

    def _answer(self, path: str, headers: Mapping[str, str], method: str, content: bytes | None) -> bytes:
        request = urllib.request.Request(f"{self.url}{path}", content, dict(headers), method=method)
        with self._direct.open(request, timeout=30) as answer:
            return answer.read()


@contextmanager
def served(library: Path | None = None) -> Iterator[Studio]:
    """One over a ``library``, or over an empty one that is thrown away, once it answers. Raises RunError
    where it never does.
    """
    port = free_port()
    with TemporaryDirectory(ignore_cleanup_errors=True) as empty:
        command = [sys.executable, "-m", "studio", "--port", str(port), "--library", str(library or empty)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            studio, began = Studio(f"http://127.0.0.1:{port}", process.pid), time.monotonic()
            while not _ready(studio):
                if process.poll() is not None or time.monotonic() - began > PATIENCE_SECONDS:
                    raise RunError("The studio served no page.", "Start python -m studio by hand.")
                time.sleep(0.2)
            yield studio
        finally:
            process.terminate()
            process.wait(30)


def _ready(studio: Studio) -> bool:
    with suppress(OSError):
        return bool(studio.call("GET", "/"))
    return False
