"""Commands to one run of the board: live changes and their undo, pause, resume and stop. All return at
once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from engine.errors import StateError
from engine.loop.messages import SetKnobs, Stop
from engine.loop.settings import Settings, Value
from engine.loop.spec import Knobs
from engine.session.jobs import Board, Job
from engine.session.library import has_checkpoint
from engine.session.record import ENDED
from engine.session.recovery import claimed
from engine.session.undo import changed_knobs


def set_knobs(
    board: Board, token: str, values: Mapping[str, Value], check: Callable[[Settings], None]
) -> int:
    """Post a change of the named live settings, which ``check`` accepts; returns its revision. Raises
    StudioError.
    """
    with board.changed:
        job = board.get(token)
        if job.record.state in ENDED:
            raise StateError(
                "This run has ended; its settings cannot change any more.",
                "Press Generate to start a new run.",
            )
        knobs = changed_knobs(job.record, values)
        check(Settings(job.record.settings.spec, knobs))
        job.undo = job.undo.after(job.record.knobs, knobs, time.monotonic())
        return _revise(board, job, knobs)


def undo_knobs(board: Board, token: str) -> int:
    """Post the settings before the newest move; returns the revision. StateError where there is no move."""
    with board.changed:
        job = board.get(token)
        if job.record.state in ENDED or not job.undo.moves:
            raise StateError("There is no live change to take back.", "Move the slider itself.")
        before, job.undo = job.undo.moves[-1], job.undo.taken_back()
        return _revise(board, job, before)


def _revise(board: Board, job: Job, knobs: Knobs) -> int:
    """Post ``knobs`` as the next revision; the board's condition is held."""
    revision = job.record.revision + 1
    board.update(job, lambda record: replace(record, knobs=knobs, revision=revision))
    job.commands.post(SetKnobs(revision, knobs))
    return revision


def pause(board: Board, token: str) -> None:
    """Hold a run that goes or waits; any other is left as it is."""
    with board.changed:
        job = board.get(token)
        if job.record.state not in ("queued", "running") or job.record.stopping:
            return
        board.move(job, "paused")
    board.save(job)


def resume(board: Board, token: str) -> None:
    """Queue a run that is held, at the front of its owner's. StateError where it has ended."""
    with claimed(board, token) as job:
        with board.changed:
            if job.record.state in ("queued", "running"):
                return
            if job.record.state in ("done", "stopped"):
                raise StateError("This run has ended.", "Press Generate to start a new run.")
            board.move(job, "queued", lambda record: replace(record, error=None, deaths=0), front=True)
        board.save(job)


def stop(board: Board, token: str, folder: Path) -> None:
    """End a run whose files lie in ``folder``: one that has begun makes its result first."""
    with claimed(board, token) as job:
        with board.changed:
            if job.record.state in ENDED or job.record.stopping:
                return
            begun = job.events is not None or job.record.state == "running" or has_checkpoint(folder)
            if begun:
                board.move(job, "running", lambda record: replace(record, stopping=True))
                job.commands.post(Stop())
            else:
                board.move(job, "stopped")
        board.save(job)
