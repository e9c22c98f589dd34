"""The steps of a refinement, without the run around them, so that a prior or a renderer can be put on a
watch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.views import Views
from engine.loop.plan import plan
from engine.loop.settings import Settings
from engine.loop.stages import STAGES, first_scene
from engine.loop.state import Context, RunState, make_optimiser
from engine.loop.step import StepOut
from engine.prior.base import Prior
from engine.prior.sampling import predict_guided
from engine.render import Renderer, choose

WARM_UP = 3  # refine steps that are taken before any is measured


@dataclass(frozen=True, eq=False)
class Refinement:
    """A run whose draft is done and whose refine ``steps`` have begun."""

    context: Context
    state: RunState
    steps: Iterator[StepOut]


def refinement(
    settings: Settings, prior: Prior, steps: int, wrap: Callable[[Renderer], Renderer] | None = None
) -> Refinement:
    """Draft and fit as ``settings`` say, and be ready to take ``steps`` refine steps; ``wrap`` changes the
    renderer first.
    """
    context = Context.of(replace(settings.spec, refine_steps=steps + WARM_UP), prior)
    state = _fresh_state(context, wrap)
    for planned in plan(context.spec, prior.info):
        state.step, stage = 0, STAGES[planned.name](context, state, lambda: settings.knobs)
        if planned.name != "refine":
            deque(stage, maxlen=0)
    for _ in range(WARM_UP):
        next(stage)
    return Refinement(context, state, stage)


def _fresh_state(context: Context, wrap: Callable[[Renderer], Renderer] | None) -> RunState:
    rng = torch.Generator().manual_seed(context.spec.seed)
    scene = first_scene(context.spec, rng, context.prior.device)
    renderer = choose(scene, context.spec.backend)
    return RunState(scene, renderer if wrap is None else wrap(renderer), rng, make_optimiser(scene))


def guided_call(context: Context, cameras: Cameras, guidance_scale: float) -> Callable[[], None]:
    """The denoiser alone, on noise seen from ``cameras``, with guidance: what no step can be faster than."""
    prior, prompts = context.prior, context.prompts(cameras)
    x_t = _noise(prior, len(cameras))
    t = torch.full((len(cameras),), prior.schedule.index(0.5), device=prior.device)

    def work() -> None:
        with torch.no_grad():
            predict_guided(prior, x_t, t, prompts, guidance_scale)

    return work


def _noise(prior: Prior, count: int) -> Tensor:
    """Noise (count,C,h,w) of the prior's own shape."""
    side = prior.info.resolution
    empty = torch.zeros(count, side, side, 1, device=prior.device)
    with torch.no_grad():
        shape = prior.encode(Views(empty.expand(-1, -1, -1, 3), empty, empty)).shape
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(prior.device)
