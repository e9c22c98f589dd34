"""The one thread that computes: it pulls the events of the job that runs, one at a time, and looks at the
board in between.

Pausing is not pulling. Whatever a run raises ends that job alone.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from engine.errors import IncompleteError, RunError, StudioError
from engine.loop.messages import (
    Checkpointed,
    Event,
    Finished,
    KnobsApplied,
    Pictures,
    SceneCopy,
    SetKnobs,
    StageStarted,
    Stepped,
    Stop,
)
from engine.prior.base import Prior
from engine.session.eta import FINISH, Pace, finishing, kind_of
from engine.session.jobs import Board, Job
from engine.session.library import has_checkpoint
from engine.session.queues import CommandQueue
from engine.session.record import ENDED, JobRecord
from engine.session.record_events import expecting, recorded, went_back
from engine.session.scheduled import with_due
from engine.session.timeline import full_path, put_back
from engine.session.timeline_keeper import TimelineKeeper

Run = Callable[..., Iterator[Event]]
WriteResults = Callable[[Finished, str, Path], dict[str, Path]]
LoadPrior = Callable[[str], Prior]
Settle = Callable[[Path], None]
LOG = "error.log"


class Scenes(Protocol):
    """Where copies of scenes go, and who knows whether anybody looks at them."""

    def offer(self, token: str, copy: SceneCopy) -> None:
        """Here is a newer copy."""
        ...

    def tell_watched(self, token: str) -> None:
        """Post ``Watch`` to the job's commands as things stand."""
        ...


class Engine:
    """Works through the board until the board closes."""

    def __init__(
        self,
        board: Board,
        run: Run,
        write_results: WriteResults,
        load_prior: LoadPrior,
        scenes: Scenes,
        settle: Settle,
        timelines: TimelineKeeper,
    ) -> None:
        self.board, self._run, self._write_results, self._load_prior, self._scenes = (
            board,
            run,
            write_results,
            load_prior,
            scenes,
        )
        self._settle, self._timelines = settle, timelines
        self._paces: dict[tuple[str, ...], dict[str, float]] = {}  # of the newest run of each kind
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_seconds: float) -> bool:
        """Wait until the thread has ended, after ``board.close()``; False if the step it is in takes longer
        than that.
        """
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            while (job := self.board.next_job()) is not None:
                self._pull(job)
        finally:
            for job in self.board.all():
                with suppress(Exception):  # one that cannot be put down is found by the next session
                    self._leave(job)

    def _pull(self, job: Job) -> None:
        """Take one event from a job."""
        try:
            if job.rewind_to is not None:
                self._rewind(job)
            if job.events is None:
                job.events = self._open(job)
            began = time.monotonic()
            event = next(job.events, None)
            job.lap += time.monotonic() - began
            if event is None:
                raise RunError(
                    "The run ended without a result.", "Start it again; its folder holds the last checkpoint."
                )
            self._take(job, event)
        except StudioError as error:
            self._fail(job, error.what, error.remedy)
        except Exception as error:  # whatever one job does, the next one is still to be worked on
            self._fail(job, *_explained(error, self._folder(job)))

    def _open(self, job: Job) -> Iterator[Event]:
        """Begin a run, or go on from its checkpoint, with a fresh command queue that holds what the run must
        know at once.
        """
        folder = self._folder(job)
        resume = has_checkpoint(folder)
        with self.board.changed:
            record, job.commands, job.began = job.record, CommandQueue(), time.monotonic()
            job.pace, job.lap = Pace(), 0.0
            if record.revision > (record.checkpoint_revision if resume else 0):
                job.commands.post(SetKnobs(record.revision, record.knobs))
            if record.stopping:
                job.commands.post(Stop())
        self._change_as_scheduled(job)
        self._scenes.tell_watched(record.token)
        self.board.save(job)
        settings = record.settings
        return self._run(
            settings.spec, settings.knobs, job.commands, self._load_prior, folder=folder, resume=resume
        )

    def _rewind(self, job: Job) -> None:
        """Make an earlier moment the run's checkpoint; what goes is let go of first."""
        step, job.rewind_to = job.rewind_to, None
        assert step is not None, "it was asked for"
        moment, folder = self._timelines.timeline(job.record.token).moment(step), self._folder(job)
        if moment is None or full_path(folder, step) is None:
            warning = (
                f"The run did not go back: its state after step {step} was not kept.",
                "Choose another moment.",
            )
            self.board.update(job, lambda record: record.warned(*warning))
            return
        self._let_go(job)
        put_back(folder, step, folder)
        self._timelines.went_back(job.record.token, step)
        self.board.update(job, lambda record: went_back(record, moment))

    def _take(self, job: Job, event: Event) -> None:
        if isinstance(event, Finished):
            self._finish(job, event)
            return
        if isinstance(event, SceneCopy):
            self._scenes.offer(job.record.token, event)
        elif isinstance(event, Pictures):
            event.images.setflags(write=False)
            job.pictures = event
        seconds = time.monotonic() - job.began
        pace, known = self._paced(job, event), self._paces.get(kind_of(job.record.settings.spec), {})
        self.board.update(job, lambda record: expecting(recorded(record, event, seconds), event, pace, known))
        self._note(job, event)
        if isinstance(event, Stepped):
            self._change_as_scheduled(job)
        if isinstance(event, StageStarted) and event.stage == job.record.waits_before:
            self._hold(job)

    def _change_as_scheduled(self, job: Job) -> None:
        """Make the live changes that are in force from the next step on, of a run that repeats another."""
        with self.board.changed:
            changed = with_due(job.record, job.record.progress.total_step + 1)
            if changed is not job.record:
                self.board.update(job, lambda record: changed)
                job.commands.post(SetKnobs(changed.revision, changed.knobs))

    def _hold(self, job: Job) -> None:
        """Put a draft down, with a checkpoint of all it holds, until somebody lets it go on."""
        self._let_go(job)
        self.board.move(job, "paused", lambda record: replace(record, waits_before=""))
        self.board.save(job)

    def _note(self, job: Job, event: Event) -> None:
        """Keep on disk what a later look, or a later process, needs."""
        if isinstance(event, Checkpointed):
            self.board.save(job)
            self._timelines.kept(job.record)
        elif isinstance(event, SceneCopy):
            faces = self._timelines.pictured(job.record, event)
            job.faces = job.faces if faces is None else (*job.faces, faces)[-2:]
        elif isinstance(event, KnobsApplied):
            self._timelines.applied(job.record, event)

    def _paced(self, job: Job, event: Event) -> Pace:
        """The job's pace after an event; what a stage needs before its first step is not part of that."""
        if isinstance(event, Stepped):
            job.pace = job.pace.after(event.stage, job.lap)
        if isinstance(event, Stepped | StageStarted):
            job.lap = 0.0
        return job.pace

    def _finish(self, job: Job, finished: Finished) -> None:
        """Keep the scene, write the files, and only then say that the job has ended."""
        self._scenes.offer(job.record.token, finished.copy)
        self._timelines.pictured(job.record, finished.copy, last=True)
        if finished.stopped:
            self._timelines.kept(job.record, last=True)
        self._timelines.forget(job.record.token)
        known = self._paces.setdefault(kind_of(job.record.settings.spec), {})
        self.board.update(
            job, lambda record: replace(record, progress=finishing(record.progress, job.pace, known))
        )
        began = time.monotonic()
        files = self._written(job, finished)
        known |= {**job.pace.means(), FINISH: time.monotonic() - began}
        seconds = finished.seconds.get("total", job.record.progress.seconds)

        def ended(record: JobRecord) -> JobRecord:
            progress = replace(record.progress, seconds=seconds, total_step=finished.steps)
            return replace(record, files=files, progress=progress, stopping=False)

        self._let_go(job)
        self.board.move(job, "stopped" if finished.stopped else "done", ended)
        self.board.save(job)
        with suppress(StudioError):  # then its checkpoint takes more space than it must
            self._settle(self._folder(job))

    def _written(self, job: Job, finished: Finished) -> dict[str, str]:
        folder, files = self._folder(job), {}
        try:
            files = self._write_results(finished, job.record.settings.spec.prior, folder)
        except IncompleteError as error:
            files, message = error.written, (error.what, error.remedy)
            _log(error, folder)
        except StudioError as error:
            message = f"The result's files could not be written. {error.what}", error.remedy
        except Exception as error:
            what, remedy = _explained(error, folder)
            message = f"The result's files could not be written. {what}", remedy
        else:
            message = None
        if message is not None:
            self.board.update(job, lambda record: record.warned(*message))
        return {name: path.relative_to(folder).as_posix() for name, path in files.items()}

    def _fail(self, job: Job, what: str, remedy: str) -> None:
        self._let_go(job)
        self.board.move(job, "failed", lambda record: replace(record, error=(what, remedy), stopping=False))
        self.board.save(job)

    def _leave(self, job: Job) -> None:
        """Put a job down when the session closes, in such a way that the next one can take it up."""
        self._let_go(job)
        if job.record.state not in ENDED and job.record.session == self.board.library.session:
            self.board.update(job, lambda record: replace(record, session=""))
            self.board.save(job)

    def _let_go(self, job: Job) -> None:
        """Let go of a run and the memory it holds."""
        events, job.events = job.events, None
        with suppress(Exception):
            if isinstance(events, Generator):
                events.close()

    def _folder(self, job: Job) -> Path:
        return self.board.library.folder(job.record.token)


def _log(error: Exception, folder: Path) -> None:
    with suppress(OSError), (folder / LOG).open("a", encoding="utf-8", errors="backslashreplace") as log:
        log.write("".join(traceback.format_exception(error)))


def _explained(error: Exception, folder: Path) -> tuple[str, str]:
    """A plain sentence for what nobody foresaw; the details go to the log in the job's folder."""
    _log(error, folder)
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return (
            "There was not enough memory.",
            "Choose a smaller render size, fewer views a step, or fewer splats or voxels.",
        )
    what = f"Something went wrong inside the program ({type(error).__name__}: {error})."
    return what, f"The details are in {folder / LOG}. The last checkpoint is kept: resume, or start again."
