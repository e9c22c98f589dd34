"""Going back in a run, and new runs that go on from a moment of an earlier one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from engine.errors import InputError, StateError
from engine.loop.settings import Settings, Value, with_values
from engine.session.input_files import forget_own_files, with_own_files
from engine.session.jobs import Board
from engine.session.library import new_token
from engine.session.limits import Limits, check_shares
from engine.session.record import ENDED, JobRecord
from engine.session.recovery import claimed
from engine.session.timeline import Moment, Timeline, picture_path, put_back, read_timeline
from engine.session.undo import Undo, changed_knobs


class Branches:
    """The timelines of a session's runs, by token, and what is made of their moments. InputError for an
    unknown run.
    """

    def __init__(
        self, board: Board, limits: Limits, bytes_of: Callable[[str], int], hold: Callable[[str, int], None]
    ) -> None:
        self._board, self._limits, self._bytes_of, self._hold = board, limits, bytes_of, hold

    def timeline(self, token: str) -> Timeline:
        """What is kept of a run's course."""
        return read_timeline(self._folder(token))

    def has_picture(self, token: str, total_step: int) -> bool:
        """Whether a moment can be looked at."""
        return picture_path(self._folder(token), total_step).is_file()

    def picture(self, token: str, total_step: int) -> Path:
        """The row of pictures of a moment. Raises InputError where there is none."""
        path = picture_path(self._folder(token), total_step)
        if not path.is_file():
            raise InputError(f"There is no picture of step {total_step}.", "Reload the page.")
        return path

    def hold(self, token: str, total_step: int) -> None:
        """Somebody looks at a moment: while the run goes on, it is not thinned out
        (`engine.session.timeline.MOST_HELD`).
        """
        record = self._board.get(token).record
        if record.state not in ENDED and record.session == self._board.library.session:
            self._hold(token, total_step)

    def rewind(self, token: str, total_step: int) -> None:
        """Let a run that has not ended go on from a full moment; what came after it is given up.

        Raises InputError for a moment that is not full, StateError for a run that has ended: that can be
        branched.
        """
        self._full(token, total_step)
        self.hold(token, total_step)
        with claimed(self._board, token) as job:
            with self._board.changed:
                if job.record.state in ENDED or job.record.stopping:
                    raise StateError(
                        "This run has ended, and stays as it is.", "Branch it: a new run goes on from here."
                    )
                job.rewind_to, job.undo = total_step, Undo()
                if job.record.state != "running":
                    self._board.move(job, "queued", front=True)
            self._board.save(job)

    def fork(self, token: str, total_step: int, owner: str, values: Mapping[str, Value]) -> str:
        """A new run of ``owner`` that goes on from a full moment with these live settings changed; returns
        its token.

        Raises InputError for a moment that is not full, for values that cannot be, and where the owner has a
        full share.
        """
        moment, old = self._full(token, total_step), self._board.get(token).record
        check_shares(owner, self._board, self._limits, self._bytes_of)
        then = with_values(Settings(old.settings.spec, old.knobs), moment.values or {}).knobs
        knobs = changed_knobs(replace(old, knobs=then), values)
        new = new_token()
        folder = self._board.library.folder(new)
        try:
            own = with_own_files(old.settings, folder)
            put_back(self._folder(token), total_step, folder)
            progress = old.progress.back_to(total_step, moment.stage, moment.step, moment.revision)
            record = JobRecord(
                new, owner, time.time(), own, knobs, progress=progress, session=self._board.library.session
            )
            # What the checkpoint holds is revision ``moment.revision``; the new settings come as the next
            # one.
            record = replace(record, revision=moment.revision + 1, checkpoint_revision=moment.revision)
            self._board.library.write(record)
        except Exception:
            forget_own_files(folder)
            for path in folder.glob("checkpoint.*"):
                path.unlink(missing_ok=True)
            self._board.library.discard(new)
            raise
        self._board.add(record)
        return new

    def _full(self, token: str, total_step: int) -> Moment:
        moment = self.timeline(token).moment(total_step)
        if moment is None or not moment.full:
            raise InputError(
                f"The run's state after step {total_step} was not kept.", "Choose a moment that is marked."
            )
        return moment

    def _folder(self, token: str) -> Path:
        self._board.get(token)
        return self._board.library.folder(token)
