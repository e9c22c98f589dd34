"""How a folder of models and pictures is read, file by file, with time and memory watched.

    python -m engine.benchmark.inputs FOLDER [--limit-s 120] [--limit-mb 4000] [--json FILE]

Each file is read in a process of its own, which is stopped when it takes too long, so that one that hangs or
fills the memory is a row of the table and no more. For people who build: what a collection of files from
elsewhere shows becomes a test.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.benchmark.memory import MEGABYTE, ROOT
from engine.errors import InputError, storage_errors

LIMIT_S, LIMIT_MB = 120.0, 6000
_CHILD = "--one"


@dataclass(frozen=True)
class Outcome:
    """One file: how it ended ("read", "refused", "fault", "too long"), what was understood or said, seconds
    and megabytes.
    """

    file: str
    ended: str
    answer: str
    seconds: float
    megabytes: float

    def row(self) -> str:
        """As a line of a Markdown table."""
        answer = self.answer.replace("|", "/").replace("\n", " ")[:160]
        return f"| {self.file} | {self.ended} | {self.seconds:.1f} | {self.megabytes:.0f} | {answer} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; returns 1 where a file was a fault or took too long."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.benchmark.inputs", description=str(__doc__).splitlines()[0]
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--limit-s", type=float, default=LIMIT_S, help="seconds for one file (default %(default)s)"
    )
    parser.add_argument(
        "--limit-mb", type=int, default=LIMIT_MB, help="address space for one file (default %(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every row there")
    parser.add_argument(_CHILD, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        return _read_one(options.folder, options.limit_mb)
    files = files_in(options.folder)
    print("| file | ended | s | MB | understood |\n|---|---|---|---|---|")
    outcomes = []
    for path in files:
        outcomes.append(watched(path, options.folder, options.limit_s, options.limit_mb))
        print(outcomes[-1].row(), flush=True)
    if options.json:
        with storage_errors(options.json):
            options.json.write_text(
                json.dumps([asdict(each) for each in outcomes], indent=2), encoding="utf-8"
            )
    return int(any(each.ended in ("fault", "too long") for each in outcomes))


def files_in(folder: Path) -> list[Path]:
    """Every file below a folder that may be a picture or a model. Raises InputError where it is none."""
    from engine.assets.meshes.file_kinds import SUFFIXES
    from engine.loop.inspection import PICTURES

    if not folder.is_dir():
        raise InputError(f"{folder} is no folder.", "Give a folder of models or pictures.")
    return sorted(
        path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in (*SUFFIXES, *PICTURES)
    )


def watched(path: Path, folder: Path, limit_s: float, limit_mb: int) -> Outcome:
    """Read one file in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "engine.benchmark.inputs",
        str(path.absolute()),
        _CHILD,
        "--limit-mb",
        str(limit_mb),
    ]
    began, name = time.perf_counter(), path.relative_to(folder).as_posix()
    try:
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        return Outcome(name, "too long", f"after {limit_s:.0f} s", limit_s, float("nan"))
    try:
        report = json.loads(ran.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (ran.stderr.strip().splitlines() or [f"exit status {ran.returncode}"])[-1]
        return Outcome(name, "fault", last, time.perf_counter() - began, float("nan"))
    return Outcome(name, **report)


def _read_one(path: Path, limit_mb: int) -> int:
    """In the process of its own: print an outcome without its name."""
    from engine.errors import StudioError
    from engine.loop.inspection import understood

    before = _peak()
    resource.setrlimit(resource.RLIMIT_AS, (limit_mb * 1_000_000, resource.getrlimit(resource.RLIMIT_AS)[1]))
    began = time.perf_counter()
    try:
        file = understood(path)
        facts = ", ".join(f"{name} {value}" for name, value in file.facts.items())
        ended, outcome = "read", f"{file.kind}: {facts}. {' '.join(file.notes)}"
    except StudioError as error:
        ended, outcome = "refused", str(error)
    except Exception as error:  # the very thing that is looked for
        ended, outcome = "fault", f"{type(error).__name__}: {error}"
    taken = {"seconds": time.perf_counter() - began, "megabytes": (_peak() - before) / MEGABYTE}
    print(json.dumps({"ended": ended, "told": outcome, **taken}))
    return 0


def _peak() -> int:
    """Bytes of the largest resident size so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    sys.exit(main())
