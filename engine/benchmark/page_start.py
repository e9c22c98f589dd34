"""From the command to the page: ``python -m studio`` in a process of its own, until it answers."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

from engine.benchmark.report import Goal, Row
from engine.benchmark.timing import Comparison, interleaved, seconds_of
from engine.errors import RunError

ROOT = Path(__file__).resolve().parents[2]
GOAL = Goal("<=", 10.0, of="value")
PATIENCE_SECONDS, POLL_SECONDS, ANSWER_SECONDS = 180.0, 0.05, 30.0
IMPORTS = "import torch, gradio"


@dataclass(frozen=True)
class PageStart:
    """Seconds from the command to the page's HTTP 200; the references are bare imports of the two big
    packages.
    """

    seconds: Comparison

    def rows(self) -> tuple[Row, ...]:
        pair = self.seconds
        return (
            Row(
                "page",
                "command to page",
                pair.value,
                "s",
                pair.reference,
                f"python -c '{IMPORTS}'",
                pair.share,
                GOAL,
            ),
        )


def measure_page_start(repeats: int) -> PageStart:
    """Start the studio and end it again, ``repeats`` times, in turns with the bare imports."""
    imports = [sys.executable, "-c", IMPORTS]
    bare = lambda: seconds_of(lambda: subprocess.run(imports, check=True, cwd=ROOT, capture_output=True))  # noqa: E731
    return PageStart(Comparison(*interleaved((_seconds_to_page, bare), repeats)))


def _seconds_to_page() -> float:
    port = free_port()
    with TemporaryDirectory(ignore_cleanup_errors=True) as library:
        command = [sys.executable, "-m", "studio", "--port", str(port), "--library", library]
        return seconds_until_answer(command, f"http://127.0.0.1:{port}/")


def seconds_until_answer(command: Sequence[str], url: str, folder: Path = ROOT) -> float:
    """Seconds from starting ``command`` in ``folder`` until ``url`` answers 200; then it is ended. RunError
    if it never does.
    """
    with TemporaryFile() as complaints:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=complaints)
        try:
            while not _answers(url):
                if process.poll() is not None or time.perf_counter() - began > PATIENCE_SECONDS:
                    raise RunError(
                        f"{' '.join(command)} served no page. {_last_line(complaints)}",
                        "Run that command by hand.",
                    )
                time.sleep(POLL_SECONDS)
            return time.perf_counter() - began
        finally:
            _end(process)


def free_port() -> int:
    """A port on this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(url: str) -> bool:
    # this machine is not behind a proxy
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(OSError):
        return direct.open(url, timeout=ANSWER_SECONDS).status == 200
    return False


def _last_line(file: IO[bytes]) -> str:
    file.seek(0)
    lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "It said nothing."


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
