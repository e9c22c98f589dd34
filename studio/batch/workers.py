"""Workers of this machine: processes that make one row after the other. One that dies is replaced, and its
row is tried again.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from studio.batch.making import make_row
from studio.batch.outcomes import FAILED, Outcome, digest_of
from studio.commands.generate_options import GenerateOptions

if TYPE_CHECKING:  # a table knows how to make settings, which is slow to import in each worker
    from studio.batch.table import Row

LOOK_SECONDS = 0.5
END_SECONDS = 10.0  # how long a process that has let go of its line may take to end


@dataclass(eq=False)
class _Worker:
    process: Any
    line: Connection
    row: Row | None = None
    attempts: int = 1
    gone: bool = False


@dataclass(eq=False)
class _Waiting:
    row: Row
    attempts: int = 1


@dataclass
class LocalWorkers:
    """``count`` processes with ``threads`` each; a row whose worker dies is tried ``retries`` times more."""

    count: int
    retries: int = 2
    threads: int = 1
    make: Callable[[str, GenerateOptions, int], Outcome] = make_row
    _context: Any = field(default_factory=lambda: multiprocessing.get_context("spawn"))

    def outcomes(self, rows: Sequence[Row]) -> Iterator[Outcome]:
        """What becomes of each row, in the order in which they end. Closing the iterator ends the workers."""
        waiting = deque(_Waiting(row) for row in rows)
        workers: list[_Worker] = []
        try:
            while waiting or any(worker.row for worker in workers):
                workers = [worker for worker in workers if not worker.gone]
                self._hand_out(waiting, workers)
                wait([worker.line for worker in workers if worker.row], LOOK_SECONDS)
                for worker in workers:
                    if worker.row is not None:
                        yield from self._heard(worker, waiting)
        finally:
            for worker in workers:
                worker.line.close()  # one that waits for a row ends by itself, and cleans up
            for worker in workers:
                worker.process.join(0 if worker.row else END_SECONDS)
                worker.process.terminate()

    def _hand_out(self, waiting: deque[_Waiting], workers: list[_Worker]) -> None:
        while waiting and (
            idle := next((each for each in workers if each.row is None), None) or self._begun(workers)
        ):
            task = waiting.popleft()
            idle.row, idle.attempts = task.row, task.attempts
            idle.line.send((task.row.id, task.row.options, task.attempts))

    def _begun(self, workers: list[_Worker]) -> _Worker | None:
        if len(workers) >= self.count:
            return None
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, self.threads, self.make), daemon=True)
        process.start()
        theirs.close()
        workers.append(_Worker(process, ours))
        return workers[-1]

    def _heard(self, worker: _Worker, waiting: deque[_Waiting]) -> Iterator[Outcome]:
        try:
            outcome = worker.line.recv() if worker.line.poll() else None
        except (EOFError, OSError):
            outcome = None
        else:
            if outcome is None and worker.process.is_alive():
                return
        row, attempts, worker.row = worker.row, worker.attempts, None
        if outcome is not None:
            yield outcome
            return
        assert row is not None, "only a worker that has a row is listened to"
        worker.gone = True
        worker.process.join(END_SECONDS)
        if attempts <= self.retries:
            waiting.appendleft(_Waiting(row, attempts + 1))
        else:
            what = (
                f"its worker ended {attempts} times while it was made (exit code {worker.process.exitcode})."
            )
            remedy = "Lower --workers if memory ran out, and start the batch again: it goes on."
            yield Outcome(
                row.id, FAILED, digest_of(row.options), attempts=attempts, error=what, remedy=remedy
            )


def _work(line: Connection, threads: int, make: Callable[[str, GenerateOptions, int], Outcome]) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)
    while True:
        try:
            task = line.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            return
        line.send(make(*task))
