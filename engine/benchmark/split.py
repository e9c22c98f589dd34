"""One refine step, split into the prior, the renderer and the rest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.benchmark.driving import refinement
from engine.benchmark.report import Goal, Row
from engine.benchmark.stopwatch import Stopwatch, TimedPrior, timed_renderer
from engine.benchmark.timing import Clock, clock_of
from engine.loop.messages import Event, Finished, StageStarted, Unattended
from engine.loop.run import run
from engine.loop.settings import Settings
from engine.prior.base import Prior

REST_GOAL = Goal("<=", 0.10)


@dataclass(frozen=True)
class Split:
    """Mean seconds of a step: in the ``prior`` and the ``renderer``, forward and backward, in what else a
    step does (``inside``), and ``between`` two steps, where a run checks health, takes snapshots, writes
    checkpoints and reports.
    """

    prior: float
    renderer: float
    inside: float
    between: float

    @property
    def rest(self) -> float:
        """What is neither prior nor renderer."""
        return self.inside + self.between

    @property
    def whole(self) -> float:
        """From one step to the next."""
        return self.prior + self.renderer + self.rest

    def rows(self) -> tuple[Row, ...]:
        parts = (
            ("prior", "the prior", None),
            ("renderer", "the renderer", None),
            ("rest", "the rest", REST_GOAL),
        )
        return tuple(
            Row(f"split.{key}", "a refine step: "
                                f"{name}", 1e3 * getattr(self, key), "ms", 1e3 * self.whole, "the whole step",
                getattr(self, key) / self.whole, goal)
            for key, name, goal in parts
        )  # fmt: skip


def measure_split(settings: Settings, prior: Prior, steps: int, clock: Clock | None = None) -> Split:
    """The mean of ``steps`` refine steps of a run with ``settings``."""
    prior_seconds, renderer_seconds, inside = split_steps(
        settings, prior, steps, clock or clock_of(prior.device)
    )
    share = share_between_steps(settings, prior, steps)
    return Split(prior_seconds, renderer_seconds, inside, share * (prior_seconds + renderer_seconds + inside))


def split_steps(settings: Settings, prior: Prior, steps: int, clock: Clock) -> tuple[float, float, float]:
    """Mean seconds in the prior, in the renderer, and in neither, of steps with nothing between them."""
    in_prior, in_renderer = Stopwatch(clock), Stopwatch(clock)
    refining = refinement(
        settings, TimedPrior(prior, in_prior), steps, lambda renderer: timed_renderer(renderer, in_renderer)
    )
    before, began = (in_prior.seconds, in_renderer.seconds), clock()
    for _ in range(steps):
        next(refining.steps)
    whole = clock() - began
    spent = in_prior.seconds - before[0], in_renderer.seconds - before[1]
    return spent[0] / steps, spent[1] / steps, (whole - sum(spent)) / steps


def share_between_steps(settings: Settings, prior: Prior, steps: int) -> float:
    """Seconds that a run spends between refine steps, by those that it spends in them; its draft is a hasty
    one.
    """
    spec = replace(settings.spec, refine_steps=steps, sampling_steps=2, fit_steps=10, time_budget_seconds=0.0)
    with TemporaryDirectory() as folder:
        return _share(run(spec, settings.knobs, Unattended(), lambda name: prior, folder=Path(folder)))


def _share(events: Iterator[Event]) -> float:
    began = time.perf_counter()
    for event in events:
        if isinstance(event, StageStarted):
            began = time.perf_counter()
        elif isinstance(event, Finished):
            in_steps = event.seconds["refine"]
            return (time.perf_counter() - began - in_steps) / in_steps
    raise AssertionError("a run always ends with Finished")
