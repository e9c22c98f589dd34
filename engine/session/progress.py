"""How far a run is: a frozen summary, and the pure function that carries it from one event to the next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.loop.messages import Event, KnobsApplied, StageStarted, Stepped

MAX_POINTS = 200


@dataclass(frozen=True)
class History:
    """Losses (total_step, loss) over the whole run: at most ``MAX_POINTS`` of them, every ``stride`` steps, and the newest."""

    points: tuple[tuple[int, float], ...] = ()
    stride: int = 1
    newest: tuple[int, float] | None = None

    def shown(self) -> tuple[tuple[int, float], ...]:
        """The points and the newest one, in the order of their steps."""
        if self.newest is None or (self.points and self.points[-1][0] == self.newest[0]):
            return self.points
        return (*self.points, self.newest)

    def with_loss(self, total_step: int, loss: float) -> History:
        """One more loss; what was recorded at or after ``total_step`` is forgotten (the run was rolled back or resumed)."""
        if not math.isfinite(loss):
            return self
        points = self.points
        while points and points[-1][0] >= total_step:
            points = points[:-1]
        if total_step % self.stride == 0:
            points = (*points, (total_step, loss))
        return History(points, self.stride, (total_step, loss))._thinned()

    def _thinned(self) -> History:
        if len(self.points) < MAX_POINTS:
            return self
        stride = self.stride * 2
        return History(tuple(point for point in self.points if point[0] % stride == 0), stride, self.newest)._thinned()


@dataclass(frozen=True)
class Progress:
    """``step`` of ``steps`` within ``stage``, ``total_step`` over the run; ``revision_applied`` from ``applied_at_step`` on."""

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

    def after(self, event: Event) -> Progress:
        """The progress that ``event`` tells of; events of other kinds change nothing."""
        if isinstance(event, StageStarted):
            return replace(self, stage=event.stage, step=0, steps=event.steps)
        if isinstance(event, KnobsApplied):
            return replace(self, revision_applied=event.revision, applied_at_step=event.total_step)
        if isinstance(event, Stepped):
            return self._stepped(event)
        return self

    def _stepped(self, event: Stepped) -> Progress:
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
            history=self.history.with_loss(event.total_step, event.loss),
            metrics={name: float(value) for name, value in event.metrics.items() if math.isfinite(value)},
        )
