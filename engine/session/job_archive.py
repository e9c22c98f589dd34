"""What the frame thread needs to know of jobs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.loop.messages import SceneCopy, Watch
from engine.session.jobs import Board
from engine.session.library import has_checkpoint
from engine.session.record import ENDED


class JobArchive:
    """The frame renderer's ``Archive``: jobs on a board, scenes in their folders, opened by ``load_copy`` where there is one."""

    def __init__(self, board: Board, load_copy: Callable[[Path], SceneCopy] | None) -> None:
        self._board, self._load_copy = board, load_copy

    def load(self, token: str) -> SceneCopy | None:
        """The scene of a job that rests; None while it is still to come from the run."""
        return self._load_copy(self._board.library.folder(token)) if self._load_copy and self.can_load(token) else None

    def can_load(self, token: str) -> bool:
        """Whether there is a scene on disk, and no run that is about to send a newer one."""
        job = self._board.find(token)
        resting = job is not None and job.record.state not in ("queued", "running")
        return resting and self._load_copy is not None and has_checkpoint(self._board.library.folder(token))

    def may_forget(self, token: str) -> bool:
        """Whether the copy in memory is the one on disk; a paused run is further on than its checkpoint.

        That of a run which was deleted is nobody's any more.
        """
        job = self._board.find(token)
        return job is None or (job.record.state in ENDED and self.can_load(token))

    def busy(self) -> bool:
        """Whether a run goes, which loses time to every picture."""
        return self._board.busy()

    def watch(self, token: str, on: bool) -> None:
        """Tell the run, if there still is one."""
        job = self._board.find(token)
        if job is not None:
            job.commands.post(Watch(on))

    def warn(self, token: str, what: str, remedy: str) -> None:
        """Show it in the job's view."""
        self._board.update(self._board.get(token), lambda record: record.warned(what, remedy))
