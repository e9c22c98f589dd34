"""How long a run still takes: all of its stages and the writing of its files.

Its own pace counts first; what it has not come to yet takes what it took in the last run of its kind, or else
as long as it takes in comparison on two CPU cores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.loop.plan import stages_of
from engine.loop.spec import RunSpec
from engine.session.progress import Progress

FINISH = "finish"
"""The stage in which the files are written, in one step."""

COMPARED: Mapping[str, float] = {"draft": 1.6, "fit": 0.18, "refine": 1.0, "sharpen": 0.4, FINISH: 15.0}
"""Seconds a step of a toybox run on two CPU cores, in units of a refine step."""

SMOOTHED_STEPS = 20


@dataclass(frozen=True)
class Pace:
    """The engine's time on one run, pauses left out: ``now`` is seconds a step of ``stage``, over about the
    last twenty.

    ``spent`` are (steps, seconds) by stage. A stage's first step prepares it, too, and says little about the
    next ones: until the second one, the stage before is what the run is measured by.
    """

    stage: str = ""
    now: float = 0.0
    spent: Mapping[str, tuple[int, float]] = field(default_factory=dict)

    def after(self, stage: str, seconds: float) -> Pace:
        """A step of ``stage`` took so long."""
        steps, before = self.spent.get(stage, (0, 0.0))
        spent = {**self.spent, stage: (steps + 1, before + seconds)}
        if steps == 0 and self.stage:
            return replace(self, spent=spent)
        share = 1 / min(max(steps, 1), SMOOTHED_STEPS)
        return Pace(stage, (1 - share) * self.now + share * seconds, spent)

    def means(self) -> dict[str, float]:
        """Seconds a step, by stage, each stage's first one included."""
        return {stage: seconds / steps for stage, (steps, seconds) in self.spent.items()}


def kind_of(spec: RunSpec) -> tuple[str, ...]:
    """Runs of one kind take about as long a step."""
    return spec.prior, spec.scene, spec.backend


def steps_ahead(spec: RunSpec, stage: str) -> dict[str, int]:
    """The steps of the stages after ``stage``; of all stages, where that is none of them."""
    planned = stages_of(spec)
    names = [each.name for each in planned]
    first = names.index(stage) + 1 if stage in names else 0 if not stage else len(names)
    return {each.name: each.steps for each in planned[first:]}


def total_steps(spec: RunSpec, progress: Progress) -> int:
    """How many steps the whole run takes, as things stand: a step that is taken back or skipped is one
    more.
    """
    return (
        progress.total_step
        + max(0, progress.steps - progress.step)
        + sum(steps_ahead(spec, progress.stage).values())
    )


def seconds_left(spec: RunSpec, progress: Progress, pace: Pace, known: Mapping[str, float]) -> float:
    """Until the files are written; ``known`` are seconds a step, by stage, of an earlier run of this kind."""
    budget = spec.time_budget_seconds or float("inf")
    present = (progress.steps - progress.step) * _expected(progress.stage, pace, known)
    if progress.stage == "refine" and spec.time_budget_seconds:
        present = min(present, progress.eta_seconds)  # the run itself knows what is left of its budget
    later = {
        stage: steps * _expected(stage, pace, known)
        for stage, steps in steps_ahead(spec, progress.stage).items()
    }
    if "refine" in later:
        later["refine"] = min(later["refine"], budget)
    return present + sum(later.values()) + _expected(FINISH, pace, known)


def _expected(stage: str, pace: Pace, known: Mapping[str, float]) -> float:
    """Seconds a step of a stage that is still to come, by how fast the present one goes in comparison."""
    table = known if stage in known and pace.stage in known else COMPARED
    return table[stage] * pace.now / table[pace.stage]


def with_eta(progress: Progress, spec: RunSpec, pace: Pace, known: Mapping[str, float]) -> Progress:
    """``progress`` with the time that the whole run still takes."""
    return (
        replace(progress, eta_seconds=seconds_left(spec, progress, pace, known)) if pace.now > 0 else progress
    )


def finishing(progress: Progress, pace: Pace, known: Mapping[str, float]) -> Progress:
    """``progress`` of a run whose files are being written."""
    return replace(
        progress, stage=FINISH, eta_seconds=_expected(FINISH, pace, known) if pace.now > 0 else 0.0
    )
