"""Doubles of the engine for session tests: a run that counts, pictures that show which copy they were made
of.

``python fakes.py LIBRARY`` starts a session with an endless run, prints its token, and waits to be killed.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from engine.core.camera import Camera
from engine.loop.frames import SplatArrays
from engine.loop.messages import (
    Checkpointed,
    CommandSource,
    Event,
    Finished,
    KnobsApplied,
    Pictures,
    SceneCopy,
    SetKnobs,
    StageStarted,
    Stepped,
    Stop,
    Watch,
)
from engine.loop.recipe import Recipe
from engine.loop.settings import Settings, flatten_knobs, with_values
from engine.loop.spec import Knobs, RunSpec

PATIENCE_SECONDS = 30.0


class FakeRun:
    """A run that does ``refine_steps`` steps, each of which leaves a checkpoint; its scene is the guidance
    scale.

    When ``hold`` was called, each step needs a permit from ``allow``. ``faults`` maps a prompt to (step,
    exception).
    """

    def __init__(self) -> None:
        self.trace: list[tuple[str, int]] = []  # (prompt, total_step) of every step
        self.begun: list[tuple[str, bool]] = []  # (prompt, resume) of every start
        self.inside = ("", 0)  # the step that is under way
        self.watched: list[bool] = []
        self.faults: dict[str, tuple[int, Exception]] = {}
        self._permits = threading.Semaphore(0)
        self._held = False

    def hold(self) -> None:
        self._held = True

    def allow(self, steps: int) -> None:
        self._permits.release(steps)

    def free(self) -> None:
        self._held = False
        self._permits.release(1000)

    def __call__(
        self,
        spec: RunSpec,
        knobs: Knobs,
        commands: CommandSource,
        load_prior: Callable[[str], Any],
        *,
        folder: Path,
        resume: bool = False,
    ) -> Iterator[Event]:
        self.begun.append((spec.prompt, resume))
        load_prior(spec.prior)
        step, revision, watched, stopping = 0, 0, False, False
        if resume:
            step, revision, knobs = read_checkpoint(folder)
        yield StageStarted("refine", spec.refine_steps)
        while step < spec.refine_steps:
            for command in commands.take():
                if isinstance(command, SetKnobs):
                    knobs, revision = command.knobs, command.revision
                    yield KnobsApplied(revision, step + 1, knobs)
                elif isinstance(command, Watch):
                    watched = command.on
                    self.watched.append(watched)
                else:
                    stopping = isinstance(command, Stop)
            if stopping:
                break
            self._breathe(spec.prompt, step + 1)
            step += 1
            self.trace.append((spec.prompt, step))
            if self.faults.get(spec.prompt, (0, None))[0] == step:
                raise self.faults[spec.prompt][1]
            if watched:
                yield copy_of(step, revision, knobs)
            yield Pictures("denoised", step, revision, np.zeros((2, 4, 4, 3), np.uint8))
            yield Stepped(
                "refine",
                step,
                spec.refine_steps,
                step,
                revision,
                1.0 / step,
                step * 0.1,
                0.0,
                10.0,
                {"norm": 1.0},
            )
            write_checkpoint(folder, step, revision, knobs)
            yield Checkpointed(step)
        yield Finished(
            copy_of(step, revision, knobs),
            stopping,
            {"total": step * 0.1},
            step,
            Recipe(Settings(spec, knobs)),
        )

    def _breathe(self, prompt: str, step: int) -> None:
        self.inside = (prompt, step)
        if self._held:
            assert self._permits.acquire(timeout=PATIENCE_SECONDS), "the test gave no permit"
        else:
            time.sleep(0.001)


def write_checkpoint(folder: Path, step: int, revision: int, knobs: Knobs) -> None:
    """Atomic, as a real one is."""
    (folder / "new.part").write_text(json.dumps([step, revision, flatten_knobs(knobs)]))
    (folder / "new.part").replace(folder / "checkpoint.json")


def read_checkpoint(folder: Path) -> tuple[int, int, Knobs]:
    step, revision, values = json.loads((folder / "checkpoint.json").read_text())
    return step, revision, with_values(settings_of(), values).knobs


def copy_of(step: int, revision: int, knobs: Knobs) -> SceneCopy:
    return SceneCopy(step, revision, knobs.guidance.guidance_scale, "auto", 40.0, 3.0)


def load_fake_copy(folder: Path) -> SceneCopy:
    """The scene in a fake run's folder."""
    return copy_of(*read_checkpoint(folder))


class FakeFrames:
    """Pictures full of the copy's step. ``broken`` makes them fail; ``gate`` makes them wait."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []  # (total_step, width) of each frame
        self.broken = False
        self.gate = threading.Event()
        self.gate.set()

    def render_frame(self, copy: SceneCopy, camera: Camera) -> np.ndarray:
        self.calls.append((copy.total_step, camera.width))
        assert self.gate.wait(PATIENCE_SECONDS), "the test did not open the gate"
        if self.broken:
            raise RuntimeError("no ink")
        return np.full((camera.height, camera.width, 3), copy.total_step % 256, np.uint8)

    def azimuth_strip(self, copy: SceneCopy, size: int) -> np.ndarray:
        return np.full((8, size, size, 3), copy.total_step % 256, np.uint8)

    def point_cloud(self, copy: SceneCopy, limit: int) -> SplatArrays:
        shapes = ((5, 3), (5, 3, 3), (5, 3), (5, 1))
        return SplatArrays(*[np.full(shape, copy.total_step, np.float32)[:limit] for shape in shapes])


def write_fake_results(finished: Finished, prior_id: str, folder: Path) -> dict[str, Path]:
    (folder / "recipe.toml").write_text(finished.recipe.to_toml())
    return {"recipe": folder / "recipe.toml"}


def settings_of(prompt: str = "a red mug", steps: int = 5) -> Settings:
    """A run that is called ``prompt``; names of tests are no words to understand."""
    return Settings(RunSpec(prompt=prompt, refine_steps=steps, words="as they are"), Knobs())


def eventually(condition: Callable[[], object], what: str = "") -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what or condition}"
        time.sleep(0.002)


def _serve_until_killed(library: Path) -> None:
    from engine.session import Session

    with Session(library, FakeRun(), FakeFrames(), write_fake_results, str) as session:
        print(session.submit(settings_of("endless", 20000), "owner"), flush=True)
        time.sleep(PATIENCE_SECONDS)


if __name__ == "__main__":
    _serve_until_killed(Path(sys.argv[1]))
