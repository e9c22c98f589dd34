"""Servers for the studio's tests: our routes in this process, or a whole page in another."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.session import Session
from studio.cli import main
from studio.viewport import Viewports

PATIENCE_SECONDS = 120.0
START_SECONDS = 240.0  # on a machine that does a dozen other things


@dataclass(frozen=True)
class Served:
    """Our routes over a session of doubles: ``http`` is the address, ``ws`` the same for WebSockets."""

    session: Session
    viewports: Viewports
    port: int

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


def serve(arguments: list[str], port: int, folder: Path) -> Iterator[str]:
    """Run python with ``arguments`` until the test is over; its output is shown if it does not come up."""
    root = Path(__file__).parents[2]
    with (folder / "server.log").open("w") as log:
        environment = os.environ | {"PYTHONPATH": str(root), "GRADIO_ANALYTICS_ENABLED": "False"}
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=root, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            until(lambda: process.poll() is not None or answers(port), START_SECONDS)
            assert process.poll() is None, (folder / "server.log").read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def write_log_and_serve(library: Path, port: int) -> None:
    """What ``python -m studio`` does, in this process, whose output goes into the log beside the library."""
    log = os.open(library.parent / "studio.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(library.parent)
    sys.exit(main(["--port", str(port), "--library", str(library)]))


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/config", timeout=2):
            return True
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until ``condition()`` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
