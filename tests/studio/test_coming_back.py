"""``python -m studio`` with a run going, killed again and again, at any moment: it starts, and the run goes
on by itself.

The real engine, in processes of its own; those that are killed have the libraries imported already, which is
most of what a start takes, and the last one is started as a person does it. ``MAQUETTE_KILLS=50`` kills it
more often than the four times that are usual.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from studio_serving import START_SECONDS, answers, free_port, until, write_log_and_serve
from websockets.sync.client import connect

from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.session.library import Library, new_token
from engine.session.record import JobRecord, from_json

KILLS = int(os.environ.get("MAQUETTE_KILLS", "4"))
WAIT_SECONDS = 0.5 if KILLS <= 10 else 6.0  # from a checkpoint to the kill, at most
LOST_SECONDS = 10.0  # of work, at most
ROOT = Path(__file__).parents[2]
TINY = {
    "splats": 200,
    "render_size": 16,
    "draft_views": 2,
    "sampling_steps": 2,
    "fit_steps": 10,
    "views_per_step": 1,
}


def a_library_with_a_run(root: Path) -> str:
    """As a studio leaves it that was closed before the run's turn came; the run's token."""
    settings = with_values(Settings(RunSpec("a red mug", refine_steps=20_000), Knobs()), TINY)
    library, token = Library(root), new_token()
    library.write(JobRecord(token, "ada", time.time(), settings, settings.knobs))
    library.close()
    return token


@contextmanager
def killed_studio(library: Path, port: int) -> Iterator[BaseProcess]:
    """The studio in a process that is forked from one that has imported everything; whatever happens, it is
    killed.
    """
    forking = get_context("forkserver")
    forking.set_forkserver_preload(
        ["torch", "gradio", "studio.app", "engine.loop.run", "engine.prior.toybox.prior"]
    )
    process = forking.Process(target=write_log_and_serve, args=(library, port), daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


@contextmanager
def studio(library: Path, port: int) -> Iterator[subprocess.Popen]:
    """The studio as a person starts it; whatever happens, it is killed."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "GRADIO_ANALYTICS_ENABLED": "False"}
    command = [sys.executable, "-m", "studio", "--port", str(port), "--library", str(library)]
    with (library.parent / "studio.log").open("a") as log:
        process = subprocess.Popen(
            command, cwd=library.parent, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def said(library: Path) -> str:
    return (library.parent / "studio.log").read_text()[-3000:]


def test_a_killed_studio_comes_back_and_its_run_goes_on(tmp_path: Path) -> None:
    library, chance = tmp_path / "library", random.Random(7)
    token = a_library_with_a_run(library)
    record = library / token / "job.json"
    reached = 0
    for kill in range(KILLS):
        with killed_studio(library, free_port()) as process:
            if kill % 2:  # while it starts; of a run that dies thrice without a checkpoint a person is asked
                time.sleep(chance.uniform(0.1, 1.0))
                assert process.is_alive(), said(library)
                continue
            until(partial(ended_or_kept, process, record, reached), START_SECONDS)
            assert process.is_alive(), said(library)
            time.sleep(chance.uniform(0.0, WAIT_SECONDS))
            lost = time.time() - max(path.stat().st_mtime for path in record.parent.glob("checkpoint.*"))
            assert lost <= LOST_SECONDS, "what was done since the last checkpoint is lost"
        kept = from_json(record.read_text())
        assert kept.state == "running" and kept.error is None, (kept.error, said(library))
        assert kept.checkpoint_step > reached, "it went on, and did not begin anew"
        reached = kept.checkpoint_step
    port = free_port()
    with studio(library, port) as process:
        until(lambda: process.poll() is not None or answers(port), START_SECONDS)
        assert process.poll() is None, said(library)
        until(lambda: status(port, token)["total_step"] > reached)
        assert status(port, token)["state"] == "running"
    assert "Traceback" not in said(library), said(library)


def ended_or_kept(process: BaseProcess, record: Path, reached: int) -> bool:
    """Whether the process has ended, or the run has left a checkpoint after step ``reached``."""
    return not process.is_alive() or from_json(record.read_text()).checkpoint_step > reached


def status(port: int, token: str) -> dict:
    """What the page is told of the run."""
    with connect(f"ws://127.0.0.1:{port}/live/{token}", max_size=None) as socket:
        while not isinstance(message := socket.recv(timeout=60), str):
            pass
        return json.loads(message)
