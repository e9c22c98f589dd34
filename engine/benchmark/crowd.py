"""Steps a second of a studio in a process of its own, with and without fifty clients of its page and its API.

    python -m engine.benchmark.crowd [--clients 50] [--turns 6]

Half of the clients hold the page's live socket and take every picture that comes, half follow a run's events
over REST. They run in a third process, at the lowest priority, so that on a small machine their own work is
not taken for the studio's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import websockets

from engine.benchmark.page_start import ROOT
from engine.benchmark.report import Goal, Row, machine_facts, table
from engine.benchmark.served_studio import Studio, served
from engine.benchmark.timing import Comparison, interleaved
from engine.errors import RunError

GOAL = Goal(">=", 0.9)
CLIENTS, TURNS, TURN_SECONDS = 50, 6, 8.0
STEPS = 10_000  # more than are ever taken: the run shall not end while it is measured


def measure_crowd(clients: int = CLIENTS, turns: int = TURNS) -> Row:
    """Both speeds of one run, in turns of ``TURN_SECONDS``."""
    with served() as studio:
        body = {"prompt": "a red mug", "settings": {"refine_steps": STEPS}}
        token = _begun(studio, body)

        def alone() -> float:
            return _seconds_a_step(studio, token)

        def crowded() -> float:
            with _clients(studio.url, token, clients):
                time.sleep(2.0)  # until all of them are connected
                return _seconds_a_step(studio, token)

        pair = Comparison(*interleaved((crowded, alone), turns))
        studio.call("POST", f"/runs/{token}/stop")
    name = f"a run with {clients} clients of page and API"
    return Row("crowd", name, 1 / pair.value, "it/s", 1 / pair.reference, "no client", pair.speed_up, GOAL)


def _begun(studio: Studio, body: dict[str, Any]) -> str:
    token = studio.call("POST", "/runs", body)["token"]
    while True:
        run = studio.call("GET", f"/runs/{token}")
        if run["state"] not in ("queued", "loading", "running"):
            raise RunError(f"The run is {run['state']}: {run.get('message', '')}", "Run it by hand.")
        if run["stage"] == "refine" and run["step"] > 5:
            return token
        time.sleep(0.2)


def _seconds_a_step(studio: Studio, token: str) -> float:
    before, began = studio.steps(token), time.perf_counter()
    time.sleep(TURN_SECONDS)
    return (time.perf_counter() - began) / max(1, studio.steps(token) - before)


@contextmanager
def _clients(url: str, token: str, clients: int) -> Iterator[None]:
    command = [
        sys.executable,
        "-m",
        "engine.benchmark.crowd",
        "--watch",
        url,
        token,
        "--clients",
        str(clients),
    ]
    process = subprocess.Popen(command, cwd=ROOT, preexec_fn=lambda: os.nice(19))
    try:
        yield
        if process.poll() is not None:
            raise RunError("The clients ended before the measurement did.", "Run the command again.")
    finally:
        process.terminate()
        process.wait(30)


async def _watch(url: str, token: str, clients: int) -> None:
    """Be ``clients`` clients, half of them browsers, until somebody ends this process."""
    page = [_browser(url, token) for _ in range(clients // 2)]
    await asyncio.gather(*page, *[_follower(url, token) for _ in range(clients - len(page))])


async def _browser(url: str, token: str) -> None:
    address = f"{url.replace('http', 'ws', 1)}/live/{token}"
    async with websockets.connect(
        address, origin=websockets.Origin(url), proxy=None, max_size=None
    ) as socket:
        shown = 0
        async for message in socket:
            if isinstance(message, bytes):
                shown += 1
                await socket.send(json.dumps({"ack": shown}))


async def _follower(url: str, token: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET /api/v1/runs/{token}/events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    await writer.drain()
    while await reader.read(1 << 16):
        pass
    raise RunError("The studio ended the events of a run that goes on.", "Look at its log.")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.benchmark.crowd", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--turns", type=int, default=TURNS, help=f"pairs of {TURN_SECONDS:.0f} s each")
    parser.add_argument("--watch", nargs=2, metavar=("URL", "TOKEN"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.watch:
        url, token = options.watch
        asyncio.run(_watch(url, token, options.clients))
    else:
        machine = machine_facts()
        print(table([measure_crowd(options.clients, options.turns)], machine))
    return 0


if __name__ == "__main__":
    sys.exit(main())
