"""This build beside another checkout of the project, in turns, each command in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.benchmark.memory import MEGABYTE, ROOT
from engine.benchmark.page_start import free_port, seconds_until_answer
from engine.benchmark.report import Goal, Row
from engine.benchmark.timing import Comparison, interleaved
from engine.errors import InputError, RunError

Measure = Callable[[Path], float]
PROMPT = "a red mug"


@dataclass(frozen=True)
class Generated:
    """One default ``generate``: seconds from the command to its files, seconds of a refine step, peak
    bytes.
    """

    whole: float
    step: float
    peak: int


def check_checkout(folder: Path) -> Path:
    """The folder, if it is a checkout. Raises InputError."""
    if not (folder / "studio" / "__main__.py").is_file():
        raise InputError(
            f"--beside {folder} is no checkout of Maquette: it has no studio/__main__.py.",
            "Name its root folder.",
        )
    return folder.absolute()


def output_of(command: Sequence[str], checkout: Path) -> str:
    """What a Python command prints in ``checkout``. Raises RunError with its last words if it fails."""
    finished = subprocess.run([sys.executable, *command], cwd=checkout, capture_output=True, encoding="utf-8")
    if finished.returncode:
        complaint = (finished.stderr.strip().splitlines() or ["It said nothing."])[-1]
        raise RunError(
            f"{' '.join(command[:3])} failed in {checkout}. {complaint}", "Run that command by hand."
        )
    return finished.stdout


def seconds_of_presets(checkout: Path) -> float:
    """Of ``python -m studio presets``."""
    began = time.perf_counter()
    output_of(["-m", "studio", "presets"], checkout)
    return time.perf_counter() - began


def seconds_to_page(checkout: Path) -> float:
    """From the command to the page's HTTP 200."""
    port = free_port()
    with TemporaryDirectory(ignore_cleanup_errors=True) as library:
        command = [sys.executable, "-m", "studio", "--port", str(port), "--library", library]
        return seconds_until_answer(command, f"http://127.0.0.1:{port}/", checkout)


def generate(checkout: Path) -> Generated:
    """The default run, from the command to its files."""
    with TemporaryDirectory() as folder:
        words = ["-m", "studio", "generate", "--prompt", PROMPT, "--quiet", "--out", folder]
        began = time.perf_counter()
        output = output_of(["-m", "engine.benchmark.peak", sys.executable, *words], checkout)
        whole = time.perf_counter() - began
        result = json.loads((Path(folder) / "result.json").read_text(encoding="utf-8"))
        recipe = (Path(folder) / "recipe.toml").read_text(encoding="utf-8")
    steps = next(int(line.split("=")[1]) for line in recipe.splitlines() if line.startswith("refine_steps"))
    return Generated(whole, result["seconds"]["refine"] / steps, int(output.split()[-1]))


def compare(measure: Measure, other: Path, repeats: int) -> Comparison:
    """``measure`` of this checkout beside that of the other, in turns."""
    return Comparison(*interleaved((lambda: measure(ROOT), lambda: measure(other)), repeats))


def beside_row(key: str, name: str, unit: str, scale: float, pair: Comparison, limit: float | None) -> Row:
    """Medians in ``unit``, and the median ratio; ``limit`` is the most that it should be."""
    goal = None if limit is None else Goal("<=", limit)
    return Row(
        f"beside.{key}",
        name,
        scale * pair.value,
        unit,
        scale * pair.reference,
        "the other checkout",
        pair.share,
        goal,
    )


def measure_beside(other: Path, repeats: int) -> tuple[Row, ...]:
    """All rows; minutes on two cores."""
    runs = interleaved((lambda: generate(ROOT), lambda: generate(other)), repeats)  # type: ignore[arg-type]
    part = lambda name: Comparison(*(tuple(float(getattr(run, name)) for run in side) for side in runs))  # noqa: E731
    return (
        beside_row("step", "a refine step", "ms", 1e3, part("step"), 0.5),
        beside_row("generate", "generate, command to files", "s", 1, part("whole"), 0.5),
        beside_row("page", "command to page", "s", 1, compare(seconds_to_page, other, repeats), 0.6),
        beside_row("presets", "presets", "s", 1, compare(seconds_of_presets, other, repeats), None),
        beside_row("memory", "peak memory of generate", "MB", 1 / MEGABYTE, part("peak"), 1.0),
    )
