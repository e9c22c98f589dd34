"""Branches of one run, going back in it, and the page's own calls over a library of ten thousand runs.

python -m engine.benchmark.workbench [--forks 24] [--rewinds 5] [--runs 10000] [--calls 9]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.benchmark.__main__ import default_settings
from engine.benchmark.report import Goal, Row, machine_facts, table
from engine.benchmark.served_studio import Studio, served
from engine.benchmark.sessions import await_steps, begin_refining, hasty, open_session, until
from engine.errors import RunError
from engine.loop.devices import limit_threads
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.prior.registry import load_prior
from engine.session import Session
from engine.session.record import JobRecord, to_json
from engine.session.timeline import Moment

REWIND_GOAL, CALL_GOAL = Goal("<=", 1.0, of="value"), Goal("<=", 0.2, of="value")
FORKS, REWINDS, RUNS, CALLS = 24, 5, 10_000, 9
OWNER = {"X-Maquette-Owner": "benchmark"}
COLOURS, THINGS = ("red", "blue", "green"), ("mug", "chair")
PATHS = {
    "the page": "/",
    "its latest runs": "/runs",
    "the library's first page": "/library",
    "its last page": "/library?first=9952",
    "a search that finds thousands": "/library?words=blue+chair",
    "a search that finds one": "/library?words=number+9999",
    "what would go first": "/library/room",
}


@dataclass(frozen=True)
class Taken:
    """Seconds by the clock on the wall, and the processor's: on a machine that does other things, only these
    say something.
    """

    wall: float
    processor: float

    def row(self, key: str, name: str, goal: Goal | None) -> Row:
        """As a line of the table; the goal is the processor's."""
        return Row(key, name, self.processor, "s", self.wall, "by the clock", None, goal)


@contextmanager
def taking(calls: int = 1, processor: Callable[[], float] = time.process_time) -> Iterator[list[Taken]]:
    """What the block takes, of each of so many ``calls`` in it, is in the list afterwards."""
    taken: list[Taken] = []
    wall, busy = time.perf_counter(), processor()
    yield taken
    taken.append(Taken((time.perf_counter() - wall) / calls, (processor() - busy) / calls))


def measure_branches(settings: Settings, forks: int, rewinds: int) -> tuple[Row, ...]:
    """Until a run that is put back takes its next step, and until a branch of it does."""
    prior = load_prior(settings.spec.prior)
    with open_session(prior) as session:
        token = begin_refining(session, hasty(settings))
        moment = _kept_whole(session, token)
        back = [_going_back(session, token, moment) for _ in range(rewinds)]
        session.pause(token)
        branch = _branching(session, token, moment, forks)
    worst = max(back, key=lambda taken: taken.processor)
    return (
        worst.row("rewind", f"back to an earlier moment, worst of {rewinds}", REWIND_GOAL),
        branch.row("forks", f"each of {forks} branches of one moment to its first step", None),
    )


def _kept_whole(session: Session, token: str) -> Moment:
    """The first moment of a run that can be gone back to, held, with at least one later step."""

    def whole() -> list[Moment]:
        return [each for each in session.branches.timeline(token).moments if each.full]

    until(session, token, lambda: bool(whole()))
    moment = whole()[0]
    session.branches.hold(token, moment.total_step)
    return moment


def _going_back(session: Session, token: str, moment: Moment) -> Taken:
    await_steps(session, token, 10)
    with taking() as taken:
        session.branches.rewind(token, moment.total_step)
        # The step that was under way is still taken, and counted from where it was.
        until(
            session,
            token,
            lambda: moment.total_step < session.view(token).total_step <= moment.total_step + 8,
        )
    return taken[0]


def _branching(session: Session, token: str, moment: Moment, forks: int) -> Taken:
    """The mean: all of them are begun, and each is stopped after its first step, so that it is the next one's
    turn.
    """
    with taking(forks) as taken:
        branches = [session.branches.fork(token, moment.total_step, "benchmark", {}) for _ in range(forks)]
        for branch in branches:
            until(session, branch, lambda branch=branch: session.view(branch).total_step > moment.total_step)
            session.stop(branch)
    ended = {session.wait(branch, 60).state for branch in branches}
    if ended != {"stopped"}:
        raise RunError(f"Branches of one run ended as {', '.join(sorted(ended))}.", "Branch one by hand.")
    return taken[0]


def measure_library(runs: int, calls: int) -> tuple[Row, ...]:
    """The page's calls over a library of so many runs."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        write_runs(Path(folder), runs)
        with served(Path(folder)) as studio:
            return tuple(_row(studio, name, path, runs, calls) for name, path in PATHS.items())


def write_runs(library: Path, runs: int) -> None:
    """As many finished runs as a busy year leaves, without their files."""
    for number in range(runs):
        words = f"a {COLOURS[number % len(COLOURS)]} {THINGS[number % len(THINGS)]} number {number}"
        settings = Settings(RunSpec(words), Knobs())
        record = JobRecord(
            f"run{number:06d}", "benchmark", 1.7e9 + number, settings, settings.knobs, state="done"
        )
        folder = library / record.token
        folder.mkdir()
        (folder / "job.json").write_text(to_json(record), encoding="utf-8")


def _row(studio: Studio, name: str, path: str, runs: int, calls: int) -> Row:
    studio.get(path, OWNER)  # the first one compiles and opens what all later ones use
    with taking(calls, studio.processor_seconds) as taken:
        for _ in range(calls):
            studio.get(path, OWNER)
    return taken[0].row(path, f"{runs} runs: {name}", CALL_GOAL)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.benchmark.workbench", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--forks", type=int, default=FORKS)
    parser.add_argument("--rewinds", type=int, default=REWINDS)
    parser.add_argument("--runs", type=int, default=RUNS, help="in the library that is searched")
    parser.add_argument("--calls", type=int, default=CALLS, help="of each address")
    options = parser.parse_args(arguments)
    limit_threads()
    machine = machine_facts()
    rows = measure_branches(default_settings(), options.forks, options.rewinds)
    print(table([*rows, *measure_library(options.runs, options.calls)], machine))
    return 0


if __name__ == "__main__":
    sys.exit(main())
