"""What becomes of the jobs that a library holds: when a session starts, and when one is taken up that nobody
looks after.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from engine.session.jobs import Board, Job
from engine.session.library import Library
from engine.session.record import ENDED, JobRecord

MAX_DEATHS = 3


def recovered(library: Library, resume_interrupted: bool, but: Collection[str] = ()) -> list[JobRecord]:
    """Records for the board, in the order in which they are to go.

    To be called, and what it takes up written, while the library is ``deciding``.

    ``but`` are tokens of runs that are known to have ended: thousands of them are read when somebody asks for
    them.

    Jobs that another living process looks after are left to it. Of all others, half-written files are
    removed.

    A run that a dead process left behind is queued again, unless ``resume_interrupted`` is false or it has
    seen its process die ``MAX_DEATHS`` times: it may be the reason, and then a person decides.
    """
    jobs = []
    for record in by_turn(library.read_all(but)):
        mine = record.state in ENDED or not library.is_alive(record.session)
        if mine:
            library.clear_away(record)
        if record.state in ENDED:
            jobs.append(record)
        elif mine:
            jobs.append(_taken_up(record, library.session) if resume_interrupted else _left(record))
    return jobs


def by_turn(records: Iterable[JobRecord]) -> list[JobRecord]:
    """Those that were running first, then those that somebody put in order, then the others; the older one
    first.
    """
    return sorted(
        records, key=lambda each: (each.state != "running", each.place or math.inf, each.created, each.token)
    )


@contextmanager
def claimed(board: Board, token: str) -> Iterator[Job]:
    """A job, for a change of its state. One that this process does not look after is kept from all others
    meanwhile.

    What another process has made of it is taken over where it has ended, and raises InputError where it still
    goes.
    """
    job, library = board.get(token), board.library
    if job.record.session == library.session:
        yield job
        return
    with library.deciding():
        record = library.read(token)
        if record.state in ("done", "stopped"):
            board.update(job, lambda _: record)
        else:
            library.check_free(record)
        yield job


def _left(record: JobRecord) -> JobRecord:
    return record if record.state == "paused" else replace(record, state="interrupted")


def _taken_up(record: JobRecord, session: str) -> JobRecord:
    died = record.state == "running" and record.session != ""
    record = replace(record, session=session, deaths=record.deaths + died)
    if record.deaths >= MAX_DEATHS:
        what = (
            f"The program ended {record.deaths} times while this run was going, so it was not started "
            "again by itself."
        )
        return replace(
            record.warned(what, "Resume it by hand, or start it again with a smaller scene."),
            state="interrupted",
        )
    if died:
        record = record.warned(
            "The program ended while this run was going. It goes on from its last checkpoint.", ""
        )
    if record.state == "running" and not record.stopping:
        return replace(record, state="queued")
    return record
