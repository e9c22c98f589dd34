"""The stages of a run. Each is a generator that goes on from ``state.step``, yields after every step, and
reads the knobs anew.

``draft``   the prior samples views of the object together           (seconds)
``fit``     the scene is fitted to those views, without the prior    (seconds)
``refine``  the prior pushes the scene itself, from random views     (minutes, while the artist steers)
``sharpen`` the scene is fitted to its own views, drawn finer        (seconds; `engine.loop.sharpening`)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.matte import matte
from engine.core.views import Views
from engine.loop.energies import energised_draft
from engine.loop.init_from_file import keep_source, read_start_file
from engine.loop.messages import Stage
from engine.loop.nonfinite import nonfinite_picture
from engine.loop.reference.draft import GuidedDraft
from engine.loop.region import with_overlap
from engine.loop.region_settings import FILL
from engine.loop.region_start import grow_region, held_draft, keep_before
from engine.loop.sharpening import sharpen
from engine.loop.spec import Knobs, RunSpec
from engine.loop.state import Anchor, Context, RunState, make_optimiser
from engine.loop.step import StepOut, decay, distill_step, fit_step, set_rates
from engine.loop.viewpoints import cameras_beside, draft_cameras, draft_count
from engine.loop.visual_hull import hull_grid, hull_points
from engine.prior.base import Prediction, Prompts
from engine.prior.sampling import ddim, sampling_times
from engine.render import choose
from engine.scene import canvas, field, splats
from engine.scene.base import Scene
from engine.scene.field import Field

LiveKnobs = Callable[[], Knobs]
StageSteps = Callable[[Context, RunState, LiveKnobs], Iterator[StepOut]]

BALL_RADIUS, BALL_SPLAT_SCALE = 0.55, 0.045
HULL_SPLAT_SCALE = 0.03
COARSE_VOXELS = 24
EVEN_FROM = 0.4  # share of the fit after which splats have found the surface along which they are to lie


def fresh_state(context: Context, resumed: bool = False) -> RunState:
    """Everything as it is before the first step. A run to be ``resumed`` has its scene in a checkpoint and
    opens no file.
    """
    rng = torch.Generator().manual_seed(context.spec.seed)
    spec = replace(context.spec, start="ball") if resumed else context.spec
    scene, notes = _first_scene(spec, rng, context.prior.device)
    state = RunState(scene, choose(scene, context.spec.backend), rng, make_optimiser(scene))
    state.notes = notes if resumed else (*notes, *keep_before(context, state))
    return state


def first_scene(spec: RunSpec, rng: torch.Generator, device: torch.device) -> Scene:
    """What a file holds, a ball of splats or density, or pictures of noise. Raises InputError for a file that
    cannot be used.
    """
    return _first_scene(spec, rng, device)[0]


def _first_scene(spec: RunSpec, rng: torch.Generator, device: torch.device) -> tuple[Scene, tuple[str, ...]]:
    """The scene, and what was done to what was given for it, in words."""
    if spec.start == "file":
        start = read_start_file(spec.start_file)
        return start.splats.to(device), start.notes
    return _made_scene(spec, rng).to(device), ()


def _made_scene(spec: RunSpec, rng: torch.Generator) -> Scene:
    if spec.scene == "splats":
        return splats.random_ball(spec.splats, BALL_RADIUS, BALL_SPLAT_SCALE, rng)
    if spec.scene == "field":
        return field.blob(min(COARSE_VOXELS, spec.voxels), BALL_RADIUS, rng)
    return canvas.noise(spec.draft_views, spec.render_size, rng)


def draft(context: Context, state: RunState, live: LiveKnobs) -> Iterator[StepOut]:
    """Sample views of the object jointly; they become the anchor. Its loss is how much the picture still
    changes.

    A draft that was interrupted begins anew, from the same noise.
    """
    spec, prior = context.spec, context.guided_as(live())
    state.total_step, state.step = state.total_step - state.step, 0
    cameras = _drafted_cameras(context)
    zero = torch.zeros(len(cameras), prior.info.resolution, prior.info.resolution, 1, device=prior.device)
    shape = prior.encode(Views(zero.expand(-1, -1, -1, 3), zero, zero)).shape
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(spec.seed)).to(prior.device)
    before = torch.zeros(shape, device=prior.device)
    guided = GuidedDraft.of(prior, context.prompts(cameras), context.guide, cameras)
    times = sampling_times(prior.schedule, spec.sampling_steps, guided.start(live()))
    first = guided.first(noise, times[0], spec.prompt, live())
    held, pushed = held_draft(context, state, cameras), energised_draft(context, state, cameras, live)

    def prompts() -> Prompts:
        return with_overlap(guided.prompts(live()), context, live())

    def corrected(prediction: Prediction, x_t: Tensor, t: Tensor) -> Prediction:
        return held(pushed(guided.corrected(prediction, x_t, t, live()), x_t, t), x_t, t)

    scale, t_min = spec.draft_guidance_scale, spec.draft_guidance_t_min
    for x0 in ddim(prior, prompts, first, times, scale, corrected, t_min):
        state.step += 1
        views, fault = prior.decode(x0), nonfinite_picture(x0)
        if fault:
            yield StepOut(float("nan"), views, skipped=fault)
        state.anchor = _with_given(context, Anchor(_anchor_pictures(context, views), cameras))
        yield StepOut(
            float((x0 - before).square().mean()),
            views,
            guided.metrics(views, times[state.step - 1], live()),
            x0,
        )
        before = x0


def fit(context: Context, state: RunState, live: LiveKnobs) -> Iterator[StepOut]:
    """Fit the scene to the draft views, from their visual hull."""
    steps = context.spec.fit_steps
    if state.step == 0:
        begin = grow_region if context.spec.region.strip() else _start_from_hull
        begin(context, state)
    while state.step < steps:
        _tend_field(context, state, finer_from=steps // 2)
        knobs = live()
        set_rates(state, knobs, decay(state.step / steps, 1.0, 0.3))
        out = fit_step(context, state, knobs, settled=state.step >= EVEN_FROM * steps)
        state.step += 1
        yield out


def refine(context: Context, state: RunState, live: LiveKnobs) -> Iterator[StepOut]:
    """Score distillation; gentler after a draft, which it should improve and not forget."""
    spec = context.spec
    first, last = (1.0, 0.3) if state.anchor is None else (0.6, 0.2)
    if state.step == 0:
        state.optimiser = make_optimiser(state.scene)
        keep_source(context, state)
        if context.spec.region_start == FILL:
            grow_region(context, state)
    while state.step < spec.refine_steps:
        _tend_field(context, state, finer_from=spec.refine_steps // 3)
        progress = refine_progress(context, state)
        if progress >= 1:
            return
        set_rates(state, live(), decay(progress, first, last))
        out = distill_step(context, state, live(), progress)
        state.step += 1
        yield out


STAGES: dict[Stage, StageSteps] = {"draft": draft, "fit": fit, "refine": refine, "sharpen": sharpen}


def refine_progress(context: Context, state: RunState) -> float:
    """0..1: the share of the steps, or of the time budget where that is further along."""
    budget = context.spec.time_budget_seconds
    spent = state.seconds.get("refine", 0.0) / budget if budget else 0.0
    return max(spent, state.step / context.spec.refine_steps)


def _drafted_cameras(context: Context) -> Cameras:
    """Where the prior is asked for views: all round, without those for which a given picture stands in."""
    spec, prior = context.spec, context.prior
    count = spec.draft_views if spec.scene == "canvas" else draft_count(prior.info, spec.draft_views)
    if context.clean is None or context.given is None:
        return draft_cameras(prior.info, count, prior.info.resolution).to(prior.device)
    return cameras_beside(context.given.cameras, prior.info, count, prior.info.resolution).to(prior.device)


def _with_given(context: Context, drafted: Anchor) -> Anchor:
    """The given pictures first, where the prior has seen them while it drafted the others."""
    if context.clean is None or context.given is None:
        return drafted
    given = context.given.resized(drafted.cameras.width)
    c2w, K = (
        torch.cat([getattr(views.cameras, part) for views in (given, drafted)]) for part in ("c2w", "K")
    )
    return Anchor(
        torch.cat([given.rgba, drafted.rgba]), Cameras(c2w, K, drafted.cameras.width, drafted.cameras.height)
    )


def _anchor_pictures(context: Context, views: Views) -> Tensor:
    """Premultiplied RGBA (V,H,W,4) of a draft. A prior without alpha draws a background too, which is no part
    of an object.
    """
    if context.prior.info.channels == "rgb" and context.spec.scene != "canvas":
        return matte(views.rgb)
    return views.rgba


def _start_from_hull(context: Context, state: RunState) -> None:
    """Replace the ball by what the silhouettes allow; where they disagree too much, the ball stays."""
    spec, anchor = context.spec, state.anchor
    assert anchor is not None, "the draft leaves its views"
    if spec.scene == "splats":
        hull = hull_points(anchor, spec.splats, state.rng)
        if hull is not None:
            state.scene = splats.from_points(*hull, scale=HULL_SPLAT_SCALE, opacity=0.5)
    elif isinstance(state.scene, Field):
        nodes = field.node_positions(state.scene.resolution).to(anchor.rgba.device)
        state.scene = field.from_density(*hull_grid(anchor, nodes))
    else:
        state.scene = canvas.from_rgba(anchor.rgba)
    state.optimiser = make_optimiser(state.scene)


def _tend_field(context: Context, state: RunState, finer_from: int) -> None:
    """A field starts coarse, where space is cheap to search, and gets its full resolution at step
    ``finer_from``.
    """
    if not isinstance(state.scene, field.Field):
        return
    if state.step >= finer_from and state.scene.resolution < context.spec.voxels:
        state.scene = state.scene.upsampled(context.spec.voxels)
        state.optimiser = make_optimiser(state.scene)
    occupancy = field.update_occupancy(state.scene, state.scene.occupancy, state.step)
    state.scene = replace(state.scene, occupancy=occupancy)
