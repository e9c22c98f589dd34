"""Sessions on a temporary library, with doubles of the engine, that are closed again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.session import Session
from tests.session.fakes import FakeFrames, FakeRun, write_fake_results

OpenSession = Callable[..., Session]


@pytest.fixture
def run() -> Iterator[FakeRun]:
    fake = FakeRun()
    yield fake
    fake.free()


@pytest.fixture
def frames() -> FakeFrames:
    return FakeFrames()


@pytest.fixture
def open_session(tmp_path: Path, run: FakeRun, frames: FakeFrames) -> Iterator[OpenSession]:
    """Started sessions on ``tmp_path / "library"``; every one is closed at the end, and its threads must then
    be gone.
    """
    opened: list[Session] = []

    def make(**changes: object) -> Session:
        arguments = {
            "run": run,
            "frames": frames,
            "write_results": write_fake_results,
            "load_prior": str,
        } | changes
        session = Session(tmp_path / "library", **arguments)
        session.start()
        opened.append(session)
        return session

    before = set(threading.enumerate())
    yield make
    run.free()
    for session in opened:
        assert session.close(), "a thread of the session did not end"
    assert {thread.name for thread in set(threading.enumerate()) - before} & {"engine", "frames"} == set()


@pytest.fixture
def session(open_session: OpenSession) -> Session:
    return open_session()
