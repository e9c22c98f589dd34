"""All jobs of a session and which state each is in, guarded by one condition that is never held while
anything is computed.

``move`` is the only function that changes a state. A job waits (queued), or runs, or rests (every other
state). Normally one job runs; a paused job that is to be stopped joins it for the one step that this takes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from engine.errors import StorageError, UnknownError
from engine.loop.messages import Event, Pictures
from engine.session.eta import Pace
from engine.session.library import Library
from engine.session.queues import CommandQueue, Ticket, turn_order
from engine.session.record import JobRecord, State
from engine.session.two_faced import Faces
from engine.session.undo import Undo

Change = Callable[[JobRecord], JobRecord]


def unchanged(record: JobRecord) -> JobRecord:
    """The change that changes nothing."""
    return record


@dataclass(eq=False)
class Job:
    """A job in memory. Only under the board's condition is a field rebound; ``events`` is the engine's
    alone.
    """

    record: JobRecord
    commands: CommandQueue = field(default_factory=CommandQueue)
    events: Iterator[Event] | None = None
    began: float = 0.0  # when the engine took it up, on a monotonic clock
    pictures: Pictures | None = None
    pace: Pace = field(default_factory=Pace)  # since it was taken up; the engine's alone, like ``lap``
    lap: float = 0.0  # seconds that its present step has taken so far
    rank: tuple[int, int] = (1, 0)
    undo: Undo = field(default_factory=Undo)
    faces: tuple[Faces, ...] = ()  # of the newest pictures, the last two
    rewind_to: int | None = None  # the total_step from which it is to go on
    saving: threading.Lock = field(default_factory=threading.Lock)

    @property
    def two_faced(self) -> bool:
        """Whether the back looked like a second front twice; once may be a chance."""
        return len(self.faces) > 1 and all(faces.twice for faces in self.faces)


class Board:
    """The jobs by token, who waits, and who runs."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.changed = threading.Condition(threading.RLock())
        self.closing = False
        # of a run that ended before this session
        self.fetch: Callable[[str], JobRecord | None] = lambda token: None
        self._jobs: dict[str, Job] = {}
        self._waiting: dict[str, Job] = {}
        self._running: list[Job] = []
        self._served: dict[str, int] = {}
        self._numbers = count(1)
        self._positions: dict[str, int] | None = None  # of those that wait; None when that has changed

    def get(self, token: str) -> Job:
        """The job; InputError if there is none."""
        job = self.reach(token)
        if job is None:
            raise UnknownError(
                "There is no run with this link.", "Check the link, or press Generate to start a new run."
            )
        return job

    def find(self, token: str) -> Job | None:
        """The job that is in memory, or None; quick."""
        return self._jobs.get(token)

    def reach(self, token: str) -> Job | None:
        """The job, which may have to be read from the disk; None if there is none, or none any more."""
        if token not in self._jobs and (record := self.fetch(token)) is not None:
            with self.changed:
                self._jobs.setdefault(token, Job(record))
        return self._jobs.get(token)

    def all(self) -> list[Job]:
        """Every job, in the order in which they came."""
        with self.changed:
            return list(self._jobs.values())

    def add(self, record: JobRecord, front: bool = False) -> Job:
        """Put a job on the board in the state that its record names."""
        job = Job(record)
        with self.changed:
            self._jobs[record.token] = job
            self._place(job, front)
        return job

    def move(self, job: Job, state: State, change: Change = unchanged, *, front: bool = False) -> None:
        """Put a job into a state; from now on this session looks after it. ``front``: before its owner's
        other jobs.
        """
        with self.changed:
            job.record = change(replace(job.record, state=state, session=self.library.session, place=0))
            self._place(job, front)

    def remove(self, job: Job, check: Callable[[JobRecord], None], dispose: Callable[[str], None]) -> None:
        """Take a job off the board unless ``check`` raises, and ``dispose`` of its folder by its token.

        Raises StorageError, and then it is still there.
        """
        token = job.record.token
        with job.saving:
            with self.changed:
                check(job.record)
                self._jobs.pop(token, None)
                self.changed.notify_all()
            try:
                dispose(token)
            except StorageError:
                with self.changed:
                    self._jobs[token] = job
                raise

    def _place(self, job: Job, front: bool) -> None:
        if self._jobs.get(job.record.token) is not job:
            return  # it was removed, and nothing brings it back
        self._positions = None
        self._waiting.pop(job.record.token, None)
        self._running = [other for other in self._running if other is not job]
        if job.record.state == "queued":
            job.rank = (0 if front else 1, next(self._numbers))
            self._waiting[job.record.token] = job
        elif job.record.state == "running":
            self._running.insert(0, job)
        self.changed.notify_all()

    def update(self, job: Job, change: Change) -> None:
        """Replace a job's record by ``change(record)``."""
        with self.changed:
            job.record = change(job.record)
            self.changed.notify_all()

    def next_job(self) -> Job | None:
        """The job to pull: the one that runs, or else the one whose turn it is, which then runs. Waits; None
        when closing.
        """
        with self.changed:
            while not self.closing:
                if not self._running and self._waiting:
                    self._call_next()
                if self._running:
                    return self._running[0]
                self.changed.wait()
        return None

    def _call_next(self) -> None:
        job = self._waiting[self.order()[0]]
        self.move(job, "running")
        turn = max(self._served.values(), default=0) + 1
        if not self._waiting:
            self._served.clear()  # nobody was kept waiting, so nobody is owed a turn
        self._served[job.record.owner] = turn
        self._positions = None

    def order(self) -> list[str]:
        """The tokens of the waiting jobs in the order in which they will run."""
        with self.changed:
            tickets = [Ticket(job.rank, job.record.owner, token) for token, job in self._waiting.items()]
            return turn_order(tickets, self._served)

    def reorder(self, token: str, place: int) -> list[Job]:
        """Let a waiting job be number ``place``, from 0, of its owner's; one that does not wait is left as it
        is.

        Returns the jobs whose records now say their place, which are to be saved.
        """
        with self.changed:
            job = self._waiting.get(token)
            if job is None:
                return []
            of_owner = [each for each in self._waiting.values() if each.record.owner == job.record.owner]
            own = sorted(of_owner, key=lambda each: each.rank)
            ranks = [each.rank for each in own]
            own.remove(job)
            own.insert(min(max(place, 0), len(own)), job)
            for number, (each, rank) in enumerate(zip(own, ranks, strict=True), 1):
                each.rank, each.record = rank, replace(each.record, place=number)
            self._positions = None
            self.changed.notify_all()
            return own

    def position(self, token: str) -> int:
        """1 for the job that runs next; 0 for one that does not wait."""
        with self.changed:
            if self._positions is None:
                self._positions = {token: place for place, token in enumerate(self.order(), 1)}
            return self._positions.get(token, 0)

    def busy(self) -> bool:
        """Whether a job runs now."""
        with self.changed:
            return bool(self._running)

    def save(self, job: Job) -> None:
        """Write the job's newest record; a library that cannot be written becomes a warning, never the end of
        a run.
        """
        with job.saving:
            if self.find(job.record.token) is not job:
                return  # it was removed
            try:
                self.library.write(job.record)
            except StorageError as error:
                what, remedy = error.what, error.remedy
                self.update(job, lambda record: record.warned(what, remedy))

    def close(self) -> None:
        """Let everybody who waits on the board go."""
        with self.changed:
            self.closing = True
            self.changed.notify_all()
