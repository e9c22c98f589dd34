"""What a run tells and keeps while it goes: a progress line, a log, checkpoints, validation and sample
sheets.
"""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.errors import storage_errors
from engine.toybox.training.checkpoints import save_checkpoint


@dataclass(frozen=True)
class Progress:
    """How far a run has come: steps, pictures seen, seconds trained."""

    step: int = 0
    images: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Pace:
    """Seconds between two log lines, checkpoints and examinations."""

    log: float = 20.0
    save: float = 120.0
    evaluate: float = 900.0


class Run(Protocol):
    """What a reporter asks of a trainer."""

    done: Progress

    def state(self) -> dict[str, object]: ...

    def examine(self, sheet: Path) -> dict[str, list[float]]: ...


class Reporter:
    """Does whatever is due after a step."""

    def __init__(self, out: Path, total_seconds: float, pace: Pace) -> None:
        self.out, self.total_seconds, self.pace = out, total_seconds, pace
        self.losses: deque[float] = deque(maxlen=200)
        self.logged = self.saved = self.evaluated = time.monotonic()
        self.images: int | None = None  # at the last log line

    def after_step(self, run: Run, loss: float) -> None:
        """Log, save and evaluate, each at its own pace."""
        self.losses.append(loss)
        self.images = run.done.images if self.images is None else self.images
        now = time.monotonic()
        if now - self.logged > self.pace.log:
            self._log(run.done, now)
        if now - self.saved > self.pace.save:
            save_checkpoint(run.state(), self.out)
            self.saved = time.monotonic()
        if now - self.evaluated > self.pace.evaluate:
            self.evaluate(run)

    def finish(self, run: Run) -> None:
        """The last checkpoint and evaluation."""
        save_checkpoint(run.state(), self.out)
        self.evaluate(run)

    def evaluate(self, run: Run) -> None:
        """Validation errors into the log, and a sheet of samples."""
        errors = run.examine(self.out / f"samples_{run.done.step:06d}.png")
        self._write({**_numbers(run.done), "validation": errors})
        print("validation", json.dumps(errors), flush=True)
        self.evaluated = time.monotonic()

    def _log(self, done: Progress, now: float) -> None:
        rate = (done.images - (self.images or 0)) / (now - self.logged)
        self.logged, self.images = now, done.images
        loss, left = sum(self.losses) / len(self.losses), max(0.0, self.total_seconds - done.seconds)
        print(
            f"step {done.step}  images {done.images}  loss {loss:.4f}  {rate:.0f} images/s  "
            f"{left / 60:.0f} min left",
            flush=True,
        )
        self._write(
            {
                **_numbers(done),
                "loss": loss,
                "images_per_second": rate,
                "progress": done.seconds / self.total_seconds,
            }
        )

    def _write(self, entry: dict[str, object]) -> None:
        with storage_errors(self.out), open(self.out / "log.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def _numbers(done: Progress) -> dict[str, object]:
    return {"step": done.step, "images": done.images, "elapsed": done.seconds}
