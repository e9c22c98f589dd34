"""A run while it goes: between two steps it takes its commands, judges the shape's health, and leaves
checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from engine.core.views import Views, composite
from engine.errors import DeviceError, RunError
from engine.loop import checkpoint, nonfinite, shape_health
from engine.loop.checkpointing import Checkpoints
from engine.loop.clock import Clock
from engine.loop.frames import PAPER
from engine.loop.messages import (
    CommandSource,
    Event,
    Finished,
    KnobsApplied,
    Pictures,
    RolledBack,
    SceneCopy,
    SetKnobs,
    StageStarted,
    Stepped,
    Stop,
    Warned,
    Watch,
)
from engine.loop.oom import Exhausted, OomGuard, pull
from engine.loop.plan import Planned
from engine.loop.recipe import Change, Recipe, changed_values
from engine.loop.settings import Settings, with_values
from engine.loop.shown_scene import to_uint8
from engine.loop.spec import Knobs
from engine.loop.stages import STAGES
from engine.loop.state import Context, RunState
from engine.loop.step import StepOut
from engine.loop.validation import refusal

CHECKPOINT_SECONDS = 5.0
COPY_SECONDS = 0.08  # copies of the scene for watchers, at most this often
PICTURE_SECONDS = 0.5  # pictures of what the prior sees
HEALTH_STEPS = 10  # a snapshot in memory this often, to roll back to
MAX_ROLL_BACKS = 3


@dataclass(eq=False)
class LiveRun:
    """The run while it goes: what the generator keeps between two events."""

    context: Context
    state: RunState
    knobs: Knobs
    recipe: Recipe
    stages: tuple[Planned, ...]
    checkpoints: Checkpoints
    oom_guard: OomGuard
    revision: int = 0
    watched: bool = False
    stopping: bool = False
    notes: tuple[Warned, ...] = ()
    roll_backs: int = 0
    skipped_in_a_row: int = 0
    good: checkpoint.Snapshot | None = None  # the state to roll back to
    steps: Iterator[StepOut] = field(default_factory=lambda: iter(()))  # of the present stage
    clock: Clock = field(default_factory=Clock)

    def events(self, commands: CommandSource) -> Iterator[Event]:
        try:
            yield from self.notes
            if self.oom_guard.plan is not None:
                yield Warned(self.oom_guard.words())
            if self.state.total_step == 0:
                yield from (Warned(note) for note in (*self.context.notes, *self.state.notes))
            yield from self._commands(commands)
            while self.state.stage_index < len(self.stages) and not self.stopping:
                yield from self._stage(self.stages[self.state.stage_index], commands)
                if not self.stopping:
                    self.state.stage_index, self.state.step = self.state.stage_index + 1, 0
            yield from self._checkpoint()
            yield self._finished()
        except GeneratorExit:  # whoever pulled has let go: leave everything so that the run can be resumed
            self.checkpoints.leave(self._snapshot)
            raise

    def _stage(self, planned: Planned, commands: CommandSource) -> Iterator[Event]:
        yield StageStarted(planned.name, planned.steps)
        self.good = self._snapshot()
        self.clock.restart()
        self.steps = self._steps(planned)
        while not self.stopping and (out := pull(self.steps, self.state)) is not None:
            if isinstance(out, Exhausted):
                yield from self._save_memory(planned)
                continue
            self._count(planned)
            yield from self._judge(planned, out)
            yield from self._commands(commands)
            self.clock.skip()  # time spent waiting to be pulled is not the run's

    def _judge(self, planned: Planned, out: StepOut) -> Iterator[Event]:
        """A step that the prior spoilt is counted, one that harmed the shape is taken back, any other is
        reported.
        """
        trouble = (
            shape_health.complaint(out, self.state) if planned.name == "refine" and not out.skipped else None
        )
        if out.skipped:
            yield from self._skip(planned, out)
        elif trouble is not None:
            yield from self._roll_back(trouble)
            self.steps = self._steps(planned)
        else:
            self.skipped_in_a_row = self.skipped_in_a_row if planned.name == "draft" else 0
            yield from self._report(planned, out)

    def _steps(self, planned: Planned) -> Iterator[StepOut]:
        return STAGES[planned.name](self.context, self.state, lambda: self.knobs)

    def _count(self, planned: Planned) -> None:
        seconds = self.clock.lap()
        self.state.total_step += 1
        self.state.seconds[planned.name] = self.state.seconds.get(planned.name, 0.0) + seconds
        if self.state.first_view_seconds is None:
            self.state.first_view_seconds = self._total_seconds()

    def _report(self, planned: Planned, out: StepOut) -> Iterator[Event]:
        if self.state.step % HEALTH_STEPS == 0:
            self.good = self._snapshot()
        if out.denoised is not None and (
            planned.name == "draft" or self.clock.due("pictures", PICTURE_SECONDS)
        ):
            yield self._pictures(planned, out, out.denoised)
        if self.watched and planned.name != "draft" and self.clock.due("copy", COPY_SECONDS):
            yield self._copy()
        yield self._stepped(planned, out)
        if self.clock.due("checkpoint", CHECKPOINT_SECONDS):
            yield from self._checkpoint()

    def _stepped(self, planned: Planned, out: StepOut) -> Stepped:
        eta = (planned.steps - self.state.step) * self.clock.pace
        budget = self.context.spec.time_budget_seconds
        if budget and planned.name == "refine":
            eta = min(eta, max(0.0, budget - self.state.seconds["refine"]))
        metrics = {**out.metrics, "skipped": float(self.state.skipped)} if self.state.skipped else out.metrics
        at = (planned.name, self.state.step, planned.steps, self.state.total_step, self.revision)
        return Stepped(*at, out.loss, self._total_seconds(), eta, 1 / max(self.clock.pace, 1e-6), metrics)

    @torch.no_grad()
    def _pictures(self, planned: Planned, out: StepOut, denoised: torch.Tensor) -> Pictures:
        step, revision = self.state.total_step, self.revision
        images = self._on_paper(self.context.prior.decode(denoised))
        if planned.name == "draft":
            return Pictures("draft", step, revision, images)
        return Pictures(
            "denoised", step, revision, images, self._on_paper(out.views), out.metrics.get("noise")
        )

    def _on_paper(self, views: Views) -> np.ndarray:
        """uint8 (V,H,W,3) pictures, over paper where they have alpha that the prior sees."""
        paper = (
            torch.tensor(PAPER, device=views.rgb.device)
            if self.context.prior.info.channels == "rgba"
            else None
        )
        return to_uint8(composite(views.rgb, views.alpha, paper))

    def _commands(self, commands: CommandSource) -> Iterator[Event]:
        for command in commands.take():
            if isinstance(command, SetKnobs):
                yield from self._apply(command)
            elif isinstance(command, Watch):
                self.watched = command.on
            elif isinstance(command, Stop):
                self.stopping = True

    def _apply(self, command: SetKnobs) -> Iterator[Event]:
        """Take up new knobs, unless they cannot work with the prior: then the run goes on with those that it
        has.
        """
        first, self.revision = self.state.total_step + 1, command.revision
        refused = refusal(Settings(self.context.spec, command.knobs), self.context.prior.info)
        if refused is None:
            change = Change(first, command.revision, changed_values(self.knobs, command.knobs))
            self.knobs, self.recipe = (
                command.knobs,
                replace(self.recipe, changes=(*self.recipe.changes, change)),
            )
        else:
            yield Warned(f"The change was not made. {refused.what}", refused.remedy)
        yield KnobsApplied(command.revision, first, self.knobs)

    def _roll_back(self, trouble: str) -> Iterator[Event]:
        """Back to the last good state, more gently and with other random numbers; give up after a few
        times.
        """
        self.roll_backs += 1
        rate_scale = 0.5 * self.state.rate_scale
        assert self.good is not None, "a stage begins with a snapshot"
        checkpoint.restore(self.good, self.state, self.context)
        self.state.rate_scale = rate_scale
        self.state.rng.manual_seed(self.context.spec.seed + self.roll_backs)
        yield RolledBack(trouble, self.state.step)
        if self.roll_backs > MAX_ROLL_BACKS:
            self.stopping = True
            yield Warned(
                f"The run was ended after {MAX_ROLL_BACKS} roll-backs, the last because {trouble}; the "
                "last good shape is kept.",
                "Lower the guidance scale or the learning rate, or raise the draft anchor.",
            )

    def _skip(self, planned: Planned, out: StepOut) -> Iterator[Event]:
        """Count a step that moved nothing; a draft begins anew. After a few in a row the run ends with the
        shape as it is.
        """
        self.state.skipped += 1
        self.skipped_in_a_row += 1
        yield self._stepped(planned, out)
        if planned.name == "draft":
            self.steps = self._steps(planned)
        if self.skipped_in_a_row < nonfinite.MOST_IN_A_ROW:
            return
        why = nonfinite.ending(out.skipped, self.state.skipped)
        if planned.name == "draft":
            raise RunError(f"There is no draft: {why}", nonfinite.REMEDY)
        self.stopping = True
        yield Warned(f"The run was ended: {why} The last good shape is kept.", nonfinite.REMEDY)

    def _save_memory(self, planned: Planned) -> Iterator[Event]:
        """Take the step again with a prior that takes less; when nothing is left to save, end with the shape
        as it is.
        """
        self.steps = self._steps(planned)
        try:
            warning = Warned(self.oom_guard.step_down())
        except DeviceError as error:
            if planned.name == "draft" or self.state.total_step == 0:
                raise
            self.stopping = True
            warning = Warned(f"{error.what} The last good shape is kept.", error.remedy)
        yield warning

    def _checkpoint(self) -> Iterator[Event]:
        yield from self.checkpoints.keep(self._snapshot)

    def _snapshot(self) -> checkpoint.Snapshot:
        info = self.context.prior.info
        return checkpoint.take(self.state, self.recipe, self.revision, (info.fov_deg, info.distance))

    def _copy(self) -> SceneCopy:
        info, spec = self.context.prior.info, self.context.spec
        scene = self.state.scene.frozen_copy()
        size = self.state.picture_size or spec.render_size
        return SceneCopy(
            self.state.total_step, self.revision, scene, spec.backend, info.fov_deg, info.distance, size
        )

    def _finished(self) -> Finished:
        state = self.state
        summary = (state.total_step, self.recipe, state.skipped, self.oom_guard.words())
        return Finished(self._copy(), self.stopping, self._seconds(), *summary)

    def _seconds(self) -> dict[str, float]:
        first = self.state.first_view_seconds or 0.0
        return {**self.state.seconds, "to_first_view": first, "total": self._total_seconds()}

    def _total_seconds(self) -> float:
        return sum(self.state.seconds.values())

    def return_to(self, earlier: checkpoint.Snapshot) -> None:
        """Go on from a checkpoint: its state, its live knobs and its history."""
        checkpoint.restore(earlier, self.state, self.context)
        self.recipe, self.revision = earlier.recipe, earlier.revision
        settings = self.recipe.settings
        for change in self.recipe.changes:
            settings = with_values(settings, change.values)
        self.knobs = settings.knobs
