"""A session as the studio opens one, on a library that is thrown away, with a prior that is loaded
already.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.core.camera import Camera, orbit_camera
from engine.errors import RunError
from engine.loop import frames
from engine.loop.messages import Finished
from engine.loop.run import run
from engine.loop.settings import Settings
from engine.prior.base import Prior
from engine.session import Session

PATIENCE_SECONDS = 300.0
REMEDY = "Look whether the same settings work with: python -m studio generate."
POLL_SECONDS = 0.003
MOST_STEPS = 20_000
PAGE_PIXELS = 192  # a side of the picture that the page asks for while a run goes: half of what it shows


@contextmanager
def open_session(prior: Prior) -> Iterator[Session]:
    """A started session whose runs use ``prior`` and write no result files."""
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Session(Path(folder), run, frames, _no_files, lambda name: prior) as session,
    ):
        yield session


def _no_files(finished: Finished, prior_id: str, folder: Path) -> dict[str, Path]:
    return {}


def hasty(settings: Settings) -> Settings:
    """The same run with a short draft and an endless refinement: for what is measured while a run goes."""
    spec = replace(
        settings.spec, sampling_steps=4, fit_steps=60, refine_steps=MOST_STEPS, time_budget_seconds=0.0
    )
    return Settings(spec, settings.knobs)


def begin_refining(session: Session, settings: Settings) -> str:
    """Submit a run, and return its token once it has refined a little."""
    token = session.submit(settings, "benchmark")
    until(session, token, lambda: (view := session.view(token)).stage == "refine" and view.step >= 2)
    return token


def seconds_of_steps(session: Session, token: str, steps: int) -> float:
    """Mean seconds of a step of a run that goes, over at least ``steps`` of them."""
    await_steps(session, token, 1)
    first, began = session.view(token).total_step, time.perf_counter()
    await_steps(session, token, steps)
    return (time.perf_counter() - began) / (session.view(token).total_step - first)


def await_steps(session: Session, token: str, steps: int) -> None:
    """Until a run has taken that many further steps."""
    wanted = session.view(token).total_step + steps
    until(session, token, lambda: session.view(token).total_step >= wanted)


def until(session: Session, token: str, condition: Callable[[], bool]) -> None:
    """Wait for ``condition``. Raises RunError if the run ends or rests instead, or nothing happens."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        view = session.view(token)
        if view.state not in ("queued", "running") or time.monotonic() > deadline:
            why = f": {' '.join(view.error)}" if view.error else "."
            raise RunError(f"A run of the benchmark is {view.state} at step {view.total_step}{why}", REMEDY)
        time.sleep(POLL_SECONDS)


def page_camera(prior: Prior) -> Camera:
    """Where the page looks from at first."""
    return orbit_camera(35.0, 18.0, prior.info.distance, prior.info.fov_deg, PAGE_PIXELS)
