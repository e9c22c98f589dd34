"""``python -m studio batch TABLE``: an object for each row of a table, by workers here or on a Ray
cluster.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Protocol

from tqdm import tqdm

from engine.errors import InputError
from studio.batch.cluster import RayCluster
from studio.batch.outcomes import DONE, Outcome, Outcomes
from studio.batch.report import write_report
from studio.batch.table import Row, read_table
from studio.batch.workers import LocalWorkers
from studio.commands.folders import ready

EXIT_FAILED = 1
MOST_WORKERS = 256


class Makers(Protocol):
    """Whoever makes rows."""

    def outcomes(self, rows: Sequence[Row]) -> Iterator[Outcome]: ...


def batch(options: argparse.Namespace) -> int:
    """Make what is not made yet, and write the tables; 1 if a row failed. Raises InputError before anything
    begins.
    """
    rows = read_table(options.table, options.out.absolute(), options.formats)
    makers = makers_for(options)
    ready(options.out)
    known = Outcomes.of(options.out)
    todo = [row for row in rows if not known.finished(row.id, row.options)]
    if len(todo) < len(rows):
        tqdm.write(f"note: {len(rows) - len(todo)} of {len(rows)} rows are made already")
    make_all(todo, makers, known, quiet=options.quiet)
    outcomes = [known.by_id[row.id] for row in rows if row.id in known.by_id]
    for path in write_report(options.out, rows, outcomes):
        print(path)
    failed = [each for each in outcomes if each.state != DONE]
    if failed:
        print(f"{len(failed)} of {len(rows)} rows failed; the same command tries them again")
    return EXIT_FAILED if failed else 0


def makers_for(options: argparse.Namespace) -> Makers:
    """Workers here, or the cluster that ``--ray`` names. Raises InputError for numbers that make no sense."""
    if options.retries < 0:
        raise InputError(f"--retries is {options.retries}.", "Write 0 or more.")
    if options.ray is not None:
        if options.cpus_per_run < 0 or options.gpus_per_run < 0:
            raise InputError(
                "--cpus-per-run and --gpus-per-run are not negative.", "Write for example --gpus-per-run 1."
            )
        return RayCluster(options.ray, options.cpus_per_run, options.gpus_per_run, options.retries)
    if not 1 <= options.workers <= MOST_WORKERS:
        raise InputError(
            f"--workers is {options.workers}; allowed is 1 to {MOST_WORKERS}.",
            "Write for example --workers 2.",
        )
    return LocalWorkers(options.workers, options.retries)


def make_all(rows: Sequence[Row], makers: Makers, known: Outcomes, *, quiet: bool) -> None:
    """Make all rows and keep each outcome as it comes; the first of a row counts."""
    kept: set[str] = set()
    with tqdm(total=len(rows), disable=quiet, unit="object") as bar:
        for outcome in makers.outcomes(rows) if rows else ():
            if outcome.id in kept:
                continue
            kept.add(outcome.id)
            known.keep(outcome)
            bar.update()
            if outcome.state != DONE:
                tqdm.write(f"{outcome.id}: {outcome.error} {outcome.remedy}")
