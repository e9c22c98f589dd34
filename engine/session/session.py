"""Everything that a page, a command line or a Python program does with runs, in one object.

The session owns the jobs: whoever asks for them may come and go.

Methods that steer (``submit``, ``set_knobs``, ``pause``, ``resume``, ``stop``) return at once and never wait
for the engine. A job's token is the only key to it; whoever has the token may see and steer the run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import TracebackType

from engine.core.camera import Camera
from engine.errors import UnknownError
from engine.loop.messages import Pictures, SceneCopy
from engine.loop.recipe import Change
from engine.loop.settings import Settings, Value
from engine.loop.spec import Knobs
from engine.session import steering
from engine.session.branches import Branches
from engine.session.frame_renderer import FrameRenderer
from engine.session.frame_requests import JobArchive, cloud_request, frame_request, strip_request
from engine.session.input_files import forget_own_files, with_own_files
from engine.session.job_views import Cloud, Frame, Frames, JobView, Strip, view_of
from engine.session.jobs import Board
from engine.session.library import Library, new_token
from engine.session.library_catalogue import LibraryCatalogue
from engine.session.limits import DEFAULT_LIMITS, Limits, already_submitted, check_shares
from engine.session.owned_runs import OwnedRuns
from engine.session.record import ENDED, JobRecord
from engine.session.recovery import recovered
from engine.session.reference_lookup import References
from engine.session.scheduled import with_schedule
from engine.session.thumbnails import with_thumbnail
from engine.session.timeline_keeper import TimelineKeeper
from engine.session.worker import Engine, LoadPrior, Run, Settle, WriteResults

CLOSE_SECONDS = 60.0
SIDE_SECONDS = 2.0  # how long a first strip or cloud is waited for
CLOUD_LIMIT = 200_000


class Session:
    """Runs in a library folder, worked through by one engine thread and shown by one frame thread.

    ``references`` is where 3D references are looked up; by default on the shipped shelf and among the
    library's results.

    ``check`` raises a StudioError for settings that could not run (a prior that is not there); ``load_copy``
    opens the scene of a run on disk, ``settle`` frees what nobody needs of one that has ended, and
    ``prepare`` is called before work begins. Unless ``resume_interrupted`` is false, runs that a dead process
    left behind go on by themselves.
    """

    def __init__(
        self,
        library: Path,
        run: Run,
        frames: Frames,
        write_results: WriteResults,
        load_prior: LoadPrior,
        *,
        load_copy: Callable[[Path], SceneCopy] | None = None,
        check: Callable[[Settings], None] = lambda settings: None,
        resume_interrupted: bool = True,
        references: References | None = None,
        settle: Settle = lambda folder: None,
        limits: Limits = DEFAULT_LIMITS,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self.limits = limits
        self.library = Library(library)
        self.references = references or References(self.library.root)
        self._board = Board(self.library)
        self.runs = OwnedRuns(self._board, LibraryCatalogue(self.library))
        self._frame_renderer = FrameRenderer(JobArchive(self._board, load_copy))
        written = with_thumbnail(write_results, frames)
        timelines = TimelineKeeper(self.library.folder, frames, load_copy)
        self._engine = Engine(self._board, run, written, load_prior, self._frame_renderer, settle, timelines)
        self.branches = Branches(self._board, self.limits, self.runs.bytes_of, timelines.hold)
        self._frames, self._check, self._resume_interrupted = frames, check, resume_interrupted
        self._prepare, self._open, self._submitting = prepare, False, threading.Lock()

    def open(self) -> None:
        """Take up what the library holds. Everything can be asked and steered from now on; nothing works
        yet.
        """
        self._open = True
        with self.library.deciding():
            self.runs.catalogue.refresh()
            self._board.fetch = self.runs.catalogue.ended_record
            for record in recovered(self.library, self._resume_interrupted, self.runs.catalogue.ended()):
                job = self._board.add(record, front=record.progress.total_step > 0 and not record.place)
                if record.session == self.library.session:
                    self._board.save(job)

    def start(self) -> None:
        """Begin to work: ``prepare`` ends before there is any thread."""
        if not self._open:
            self.open()
        self._prepare()
        self._frame_renderer.start()
        self._engine.start()

    def close(self, timeout_seconds: float = CLOSE_SECONDS) -> bool:
        """End after the present step; unfinished runs stay resumable. False if that step takes longer than
        the timeout.
        """
        self._board.close()
        self._frame_renderer.close()
        ended = self._engine.join(timeout_seconds) and self._frame_renderer.join(timeout_seconds)
        if ended:
            self.library.close()
            self.runs.catalogue.close()
        return ended

    def __enter__(self) -> Session:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(
        self,
        settings: Settings,
        owner: str,
        client_key: str = "",
        waits_before: str = "",
        schedule: Sequence[Change] = (),
    ) -> str:
        """Queue a run and return its token; files that its settings name are copied into its folder first.

        The same ``client_key`` of the same owner gives the run that is there already, so that a submission
        may be sent again. A run that ``waits_before`` a stage is paused there, a draft; one with a
        ``schedule`` makes these live changes by itself. Raises InputError, MissingError or DeviceError if it
        could not run, and StorageError if it could not be kept. Who has as many runs or as much on disk as
        the limits allow gets a LimitError, and a key that stands for other settings a StateError.
        """
        with self._submitting if client_key else nullcontext():
            if known := already_submitted(settings, client_key, self.runs.submitted(owner, client_key)):
                return known
            check_shares(owner, self._board, self.limits, self.runs.bytes_of)
            self._check(settings)
            return self._keep(settings, owner, schedule, client_key=client_key, waits_before=waits_before)

    def _keep(self, settings: Settings, owner: str, schedule: Sequence[Change], **marks: str) -> str:
        token = new_token()
        try:
            own = with_own_files(settings, self.library.folder(token), self.references)
            blank = replace(
                JobRecord(token, owner, time.time(), own, own.knobs, session=self.library.session), **marks
            )
            record = with_schedule(blank, schedule)
            self.library.write(record)
        except Exception:
            forget_own_files(self.library.folder(token))
            self.library.discard(token)
            raise
        self._board.add(record)
        return token

    def set_knobs(self, token: str, values: Mapping[str, Value]) -> int:
        """Change live settings by name; returns the revision that comes back with everything they shaped.

        Raises InputError for a value out of range or one that cannot work with the run's prior, for a setting
        that needs a new run, and for a run that has ended. A run whose change was refused goes on as it was.
        """
        return steering.set_knobs(self._board, token, values, self._check)

    def undo_knobs(self, token: str) -> int:
        """Take back the newest change of live settings, a whole drag of a slider at once; returns the
        revision.

        Raises InputError where there is none, and for a run that has ended.
        """
        return steering.undo_knobs(self._board, token)

    def pause(self, token: str) -> None:
        """Hold a run after its present step; a run that does not go is left as it is."""
        steering.pause(self._board, token)

    def resume(self, token: str) -> None:
        """Let a paused, interrupted or failed run go on, before its owner's other runs.

        Raises InputError if it is done or stopped, or if another process has taken it up meanwhile.
        """
        steering.resume(self._board, token)

    def stop(self, token: str) -> None:
        """End a run within one step and keep its result; a run that has not begun ends without one."""
        steering.stop(self._board, token, self.library.folder(token))

    def view(self, token: str) -> JobView:
        """The job as it is now. InputError for an unknown token, as in every method."""
        with self._board.changed:
            job = self._board.get(token)
            undoable = {} if job.record.state in ENDED else job.undo.values(job.record.knobs)
            view = view_of(job.record, self.library.folder(token), self._board.position(token))
            title = self.runs.label(token).name or view.title
            return replace(view, undoable=undoable, title=title, two_faced=job.two_faced)

    def busy(self) -> bool:
        """Whether a run is being worked on now."""
        return self._board.busy()

    def jobs(self, owner: str, state: str = "", most: int | None = None) -> tuple[JobView, ...]:
        """The owner's jobs, newest first, ``most`` of them; those in one ``state``, if it is named."""
        return tuple(map(self.view, islice(self.runs.present(self.runs.tokens(owner, state)), most)))

    def settings(self, token: str) -> Settings:
        """The settings that the run was submitted with."""
        return self._board.get(token).record.settings

    def knobs(self, token: str) -> Knobs:
        """The newest live settings that were asked for."""
        return self._board.get(token).record.knobs

    def files(self, token: str) -> dict[str, Path]:
        """The result's files by name, once it has ended."""
        return dict(self.view(token).files)

    def file(self, token: str, name: str) -> Path:
        """One of these files. UnknownError where the run has none of this name."""
        files = self.files(token)
        if name not in files or not files[name].is_file():
            raise UnknownError(
                f"This run has no file {name!r}.", f"Its files: {', '.join(files) or 'none yet'}."
            )
        return files[name]

    def wait(self, token: str, timeout: float | None = None) -> JobView:
        """The job once it is done, failed, stopped or interrupted; or after ``timeout`` seconds, or as the
        session closes.
        """
        job = self._board.get(token)
        with self._board.changed:
            self._board.changed.wait_for(
                lambda: self._board.closing or job.record.state in (*ENDED, "interrupted"), timeout
            )
        return self.view(token)

    def frame(
        self, token: str, watcher: str, camera: Camera, after: int, timeout_seconds: float, keep: bool = False
    ) -> Frame | None:
        """A picture with a serial above ``after`` for this watcher's newest camera; waits for it, None if
        none comes in time.

        With ``keep`` it is made meanwhile, for whoever asks again instead of waiting.
        """
        self._board.get(token)
        frame = self._frame_renderer.ask(
            token, f"frame {watcher}", frame_request(self._frames, camera), after, timeout_seconds, keep
        )
        return (
            None
            if frame is None
            else Frame(frame.value, frame.copy.total_step, frame.copy.revision, frame.serial)
        )

    def aim(self, token: str, watcher: str, camera: Camera) -> None:
        """Whoever waits in `frame` for this watcher gets a picture from this camera instead; returns at
        once.
        """
        self._board.get(token)
        self._frame_renderer.change_request(token, f"frame {watcher}", frame_request(self._frames, camera))

    def strip(self, token: str, size: int = 96) -> Strip | None:
        """The newest strip of azimuths that there is; a newer one is made meanwhile. None before there is a
        shape.
        """
        self._board.get(token)
        frame = self._frame_renderer.newest_frame(
            token, "strip", strip_request(self._frames, size), SIDE_SECONDS
        )
        return None if frame is None else Strip(frame.value, frame.copy.total_step, frame.copy.revision)

    def cloud(self, token: str, after_step: int, limit: int = CLOUD_LIMIT) -> Cloud | None:
        """The newest splats that there are, unless they are those of ``after_step``; empty arrays for scenes
        without splats.
        """
        self._board.get(token)
        frame = self._frame_renderer.newest_frame(
            token, f"cloud {limit}", cloud_request(self._frames, limit), SIDE_SECONDS
        )
        return None if frame is None or frame.value.total_step == after_step else frame.value

    def pictures(self, token: str) -> Pictures | None:
        """The newest pictures of what the prior sees."""
        return self._board.get(token).pictures
