"""The most memory that a toybox run takes, with its exports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.benchmark.report import Goal, Row
from engine.errors import RunError
from engine.loop.settings import Settings, flatten

ROOT = Path(__file__).resolve().parents[2]
GOAL = Goal("<=", 2000.0, of="value")
IMPORTS = "import torch, numba, diffusers"
MEGABYTE = 1e6


@dataclass(frozen=True)
class Memory:
    """Peak bytes of a run from settings to files, and of a process that only imports the packages."""

    run: int
    imports: int

    def rows(self) -> tuple[Row, ...]:
        row = Row("memory", "peak memory of a run", self.run / MEGABYTE, "MB", self.imports / MEGABYTE,
                  f"python -c '{IMPORTS}'", self.run / self.imports, GOAL)  # fmt: skip
        return (row,)


def measure_memory(settings: Settings) -> Memory:
    """Run ``settings`` in a process of its own."""
    with TemporaryDirectory() as folder:
        chosen = [f"--set={name}={value}" for name, value in flatten(settings).items() if name not in _NAMED]
        words = [
            "--prompt",
            settings.spec.prompt,
            "--seed",
            str(settings.spec.seed),
            "--quiet",
            "--out",
            folder,
        ]
        run = peak_of([sys.executable, "-m", "studio", "generate", *words, *chosen])
    return Memory(run, peak_of([sys.executable, "-c", IMPORTS]))


_NAMED = ("prompt", "negative_prompt", "seed")


def peak_of(command: Sequence[str]) -> int:
    """Peak bytes of a command. Raises RunError with its last words if it fails."""
    finished = subprocess.run(
        [sys.executable, "-m", "engine.benchmark.peak", *command], cwd=ROOT, capture_output=True, text=True
    )
    if finished.returncode:
        complaint = (finished.stderr.strip().splitlines() or ["It said nothing."])[-1]
        raise RunError(f"{' '.join(command[:4])} failed. {complaint}", "Run that command by hand.")
    return int(finished.stdout)
