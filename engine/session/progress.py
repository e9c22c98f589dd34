"""How far a run is: a frozen summary, and the pure function that carries it from one event to the next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.loop.messages import Event, KnobsApplied, StageStarted, Stepped

MAX_POINTS = 200
TRACED = ("reference_similarity", "reference_strength", "reference_gate", "reference_fit")
"""The metrics whose course over the run is kept."""


@dataclass(frozen=True)
class History:
    """A number over the whole run as (total_step, number): the newest, and at most ``MAX_POINTS`` others.

    They are ``stride`` steps apart or more.
    """

    points: tuple[tuple[int, float], ...] = ()
    stride: int = 1
    newest: tuple[int, float] | None = None

    def shown(self) -> tuple[tuple[int, float], ...]:
        """The points and the newest one, in the order of their steps."""
        if self.newest is None or (self.points and self.points[-1][0] == self.newest[0]):
            return self.points
        return (*self.points, self.newest)

    def with_number(self, total_step: int, number: float) -> History:
        """One more; what was recorded at or after ``total_step`` is forgotten."""
        if not math.isfinite(number):
            return self
        points, new = self.before(total_step).points, (total_step, number)
        if not points or total_step >= points[-1][0] + self.stride:
            points = (*points, new)
        return History(points, self.stride, new)._thinned()

    def before(self, total_step: int) -> History:
        """Without what was recorded at or after ``total_step``: the run was rolled back or resumed."""
        if self.newest is None or self.newest[0] < total_step:
            return self
        points = tuple(point for point in self.points if point[0] < total_step)
        return History(points, self.stride, points[-1] if points else None)

    def _thinned(self) -> History:
        if len(self.points) < MAX_POINTS:
            return self
        stride = self.stride * 2
        return History(_apart(self.points, stride), stride, self.newest)._thinned()


def _apart(points: tuple[tuple[int, float], ...], stride: int) -> tuple[tuple[int, float], ...]:
    """Those that are ``stride`` steps or more after the one before."""
    kept: list[tuple[int, float]] = []
    for point in points:
        if not kept or point[0] >= kept[-1][0] + stride:
            kept.append(point)
    return tuple(kept)


@dataclass(frozen=True)
class Progress:
    """``step`` of ``steps`` within ``stage``, ``total_step`` over the run; ``revision_applied`` from
    ``applied_at_step`` on.
    """

    stage: str = ""
    step: int = 0
    steps: int = 0
    total_step: int = 0
    steps_per_second: float = 0.0
    eta_seconds: float = 0.0
    seconds: float = 0.0
    revision_applied: int = 0
    applied_at_step: int = 0
    history: History = field(default_factory=History)
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds_to_first_picture: float | None = None
    traces: Mapping[str, History] = field(default_factory=dict)  # of the metrics named in TRACED

    def after(self, event: Event) -> Progress:
        """The progress that ``event`` tells of; events of other kinds change nothing."""
        if isinstance(event, StageStarted):
            return replace(self, stage=event.stage, step=0, steps=event.steps)
        if isinstance(event, KnobsApplied):
            return replace(self, revision_applied=event.revision, applied_at_step=event.total_step)
        if isinstance(event, Stepped):
            return self._stepped(event)
        return self

    def back_to(self, total_step: int, stage: str, step: int, revision: int) -> Progress:
        """The progress of a run that was put back to where it was after ``total_step``."""
        traces = {name: history.before(total_step + 1) for name, history in self.traces.items()}
        at = replace(self, stage=stage, step=step, total_step=total_step, revision_applied=revision)
        return replace(at, history=self.history.before(total_step + 1), traces=traces)

    def _stepped(self, event: Stepped) -> Progress:
        metrics = {name: float(value) for name, value in event.metrics.items() if math.isfinite(value)}
        return replace(
            self,
            stage=event.stage,
            step=event.step,
            steps=event.steps,
            total_step=event.total_step,
            steps_per_second=event.steps_per_second,
            eta_seconds=event.eta_seconds,
            seconds=event.seconds,
            revision_applied=event.revision,
            history=self.history.with_number(event.total_step, event.loss),
            metrics=metrics,
            traces=self._traced(event.total_step, metrics),
        )

    def _traced(self, total_step: int, metrics: Mapping[str, float]) -> dict[str, History]:
        traces = {name: history.before(total_step) for name, history in self.traces.items()}
        traced = {name: metrics[name] for name in TRACED if name in metrics}
        return traces | {
            name: traces.get(name, History()).with_number(total_step, value) for name, value in traced.items()
        }
