"""Rows an hour of ``python -m studio batch`` with two workers beside one.

    python -m engine.benchmark.batch [--rows 4] [--turns 2]

From the command to the table of results, so that starting the workers counts.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.benchmark.page_start import ROOT
from engine.benchmark.report import Goal, Row, machine_facts, table
from engine.benchmark.timing import Comparison, interleaved, seconds_of
from engine.errors import RunError

GOAL = Goal(">=", 1.6)
KINDS = ("mug", "chair", "car", "robot", "fish", "house")
REFINE_STEPS = 40


def measure_batch(rows: int, turns: int) -> Row:
    """The same table of ``rows`` prompts with both numbers of workers, in turns."""
    lines = [f"a red {KINDS[i % len(KINDS)]},{i},{REFINE_STEPS}" for i in range(rows)]
    text = "\n".join(["prompt,seed,refine_steps", *lines]) + "\n"
    pair = Comparison(*interleaved((lambda: _seconds(text, 2), lambda: _seconds(text, 1)), turns))
    per_hour = 3600 * rows
    name = f"batch of {rows} rows, two workers"
    return Row(
        "batch",
        name,
        per_hour / pair.value,
        "rows/h",
        per_hour / pair.reference,
        "one worker",
        pair.speed_up,
        GOAL,
    )


def _seconds(text: str, workers: int) -> float:
    with TemporaryDirectory() as folder:
        rows, out = Path(folder) / "rows.csv", Path(folder) / "out"
        rows.write_text(text, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "studio",
            "batch",
            str(rows),
            "--workers",
            str(workers),
            "--out",
            str(out),
        ]
        return seconds_of(lambda: _run(command))


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise RunError(f"The batch failed. {done.stderr.strip()[-300:]}", "Run the command by hand.")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.benchmark.batch", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--turns", type=int, default=2)
    options = parser.parse_args(arguments)
    machine = machine_facts()
    print(table([measure_batch(options.rows, options.turns)], machine))
    return 0


if __name__ == "__main__":
    sys.exit(main())
