"""Making do with the memory there is: a plan before the first step, and a smaller one whenever memory runs
out.

A step changes nothing until it has computed everything, so that one which ran out of memory can be taken
again.
"""

from __future__ import annotations

import gc
import traceback
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.errors import DeviceError
from engine.guidance.base import Learns
from engine.loop import guidance_state
from engine.loop.spec import Knobs, RunSpec
from engine.loop.state import RunState
from engine.loop.step import StepOut
from engine.prior import memory_savings as economies
from engine.prior.abilities import CanWait
from engine.prior.base import Prior
from engine.prior.memory_plan import Economy, Footprint, Needs, Plan, plan
from engine.scene.base import Scene

FLOAT, ADAM = 4, 4  # bytes of a number; the parameter, its gradient and two moments
SPLAT_NUMBERS, VOXEL_NUMBERS = 14, 4
PIXEL_BYTES = 256  # of a render and its way back
EXHAUSTED = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")
REMEDY = (
    "Lower views a step, the render size or the number of splats or voxels, close other programs, or "
    "choose a smaller prior."
)


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on a GPU or a CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in EXHAUSTED)


def needs_of(spec: RunSpec, knobs: Knobs) -> Needs:
    """What a run asks for at its busiest."""
    views = max(
        knobs.views_per_step, spec.draft_views if spec.start == "draft" or spec.scene == "canvas" else 1
    )
    numbers = {
        "splats": SPLAT_NUMBERS * spec.splats,
        "field": VOXEL_NUMBERS * spec.voxels**3,
        "canvas": VOXEL_NUMBERS * spec.draft_views * spec.render_size**2,
    }
    scene = FLOAT * ADAM * numbers[spec.scene] + PIXEL_BYTES * views * spec.render_size**2
    return Needs(views, learns=isinstance(knobs.guidance, Learns), scene=scene)


@dataclass(eq=False)
class OomGuard:
    """How a run's prior saves memory now, and what it could still give up. ``reductions`` tells what was
    given up so far.
    """

    prior: Prior
    ladder: tuple[Economy, ...] = ()
    plan: Plan | None = None
    reductions: tuple[str, ...] = ()

    @staticmethod
    def of(prior: Prior, spec: RunSpec, knobs: Knobs) -> OomGuard:
        """Choose an economy by what is free and let the prior work so; priors that are small have none."""
        footprint = economies.footprint_of(prior)
        if footprint is None:
            return OomGuard(prior)
        needs = needs_of(spec, knobs)
        ladder = economies.tiers_of(prior, needs.views)
        chosen = _chosen(prior, footprint, needs, ladder)
        economies.economise(prior, chosen.economy)
        return OomGuard(prior, ladder[ladder.index(chosen.economy) :], chosen)

    def words(self) -> str:
        """The plan and what had to be given up later, for a person; empty without a plan."""
        if self.plan is None:
            return ""
        tight = "" if self.plan.fits else ", which may not be enough"
        return "; then ".join([f"This run takes {self.plan.words()}{tight}", *self.reductions]) + "."

    def step_down(self) -> str:
        """Give up one thing more and say what. Raises DeviceError when nothing is left to give up."""
        if len(self.ladder) < 2:
            raise DeviceError("There is not enough memory for this run, and nothing is left to save.", REMEDY)
        self.ladder = self.ladder[1:]
        economies.economise(self.prior, self.ladder[0])
        if self.prior.device.type == "cuda":
            gc.collect()
            torch.cuda.empty_cache()
        assert self.plan is not None, "a ladder comes with a plan"
        reduced = self.ladder[0].words(self.plan.views)
        self.reductions = (*self.reductions, reduced)
        return f"Memory ran out, so the prior saves more of it: {reduced}. The step was taken again."


def _chosen(prior: Prior, footprint: Footprint, needs: Needs, ladder: tuple[Economy, ...]) -> Plan:
    """The plan for a prior that is loaded: its weights count as free, because the plan counts them as
    taken.
    """
    waiting = prior.device.type != "cpu" and isinstance(prior, CanWait) and prior.offload is not None
    free = economies.free_bytes(prior.device) + (0 if waiting else footprint.weights)
    return plan(footprint, needs, free, ladder, fused_attention=economies.fused_attention(prior.device))


@dataclass(frozen=True, eq=False)
class Mark:
    """A run's state before a step, as far as a step that fails may change it. The scene's numbers change last
    of all.
    """

    rng: Tensor
    scene: Scene
    optimiser: torch.optim.Optimizer
    method: tuple[Any, ...]
    learned: dict[str, Any] | None

    @staticmethod
    def of(state: RunState) -> Mark:
        method = (state.guidance_key, state.guidance_state, state.side_optimiser, state.saved_method)
        kept = None if state.guidance_state is None else deepcopy(guidance_state.content(state))
        return Mark(state.rng.get_state(), state.scene, state.optimiser, method, kept)

    def restore(self, state: RunState) -> None:
        """As it was."""
        state.rng.set_state(self.rng)
        state.scene, state.optimiser = self.scene, self.optimiser
        state.guidance_key, state.guidance_state, state.side_optimiser, state.saved_method = self.method
        state.optimiser.zero_grad(set_to_none=True)
        if self.learned is not None and state.side_optimiser is not None:
            state.guidance_state.load_state_dict(self.learned["state"])
            state.side_optimiser.load_state_dict(self.learned["optimiser"])
            state.side_optimiser.zero_grad(set_to_none=True)


class Exhausted:
    """What ``pull`` gives for a step that ran out of memory."""


def pull(steps: Iterator[StepOut], state: RunState) -> StepOut | Exhausted | None:
    """The next step; None after the last. One that runs out of memory leaves ``state`` as it was and ends
    ``steps``.
    """
    mark = Mark.of(state)
    try:
        return next(steps, None)
    except Exception as error:
        if not out_of_memory(error):
            raise
        traceback.clear_frames(error.__traceback__)  # they hold tensors
    mark.restore(state)
    return Exhausted()
