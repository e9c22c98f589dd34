"""One step of a run: look, ask the prior, move the scene. Read this first.

cameras -> ``render`` -> views -> ``prior.encode`` -> x -> ``guidance.loss`` + ``terms`` -> backward ->
optimiser. Everything that may change while the run goes arrives in ``knobs``, and one step sees one snapshot
of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.views import Views
from engine.loop import guidance_state, terms
from engine.loop.clipping import bounded, clipping_metrics
from engine.loop.init_from_file import with_source
from engine.loop.input_images import balance
from engine.loop.nonfinite import nonfinite
from engine.loop.reference.guide import with_reference
from engine.loop.reference.refine import guiding_metrics
from engine.loop.region import advance, kept, only_inside, with_overlap
from engine.loop.spec import Knobs
from engine.loop.state import Context, RunState, scale_rates
from engine.loop.terms import Losses
from engine.loop.terms.anchor import some_views
from engine.loop.terms.rendered import RenderedStep
from engine.loop.viewpoints import draft_cameras, random_cameras
from engine.scene.splats import Splats

BACKGROUNDS = {"white": 1.0, "grey": 0.5, "black": 0.0}
FIT_VIEWS = 4  # how many anchor views one step looks at


@dataclass(frozen=True, eq=False)
class StepOut:
    """``loss`` and ``metrics`` to show, the ``views`` rendered, and what the prior made of them.

    ``denoised`` (B,C,h,w) is in the prior's space; None where it was not asked. ``skipped`` says why the
    scene did not move.
    """

    loss: float
    views: Views
    metrics: dict[str, float] = field(default_factory=dict)
    denoised: Tensor | None = None
    skipped: str = ""


def distill_step(context: Context, state: RunState, knobs: Knobs, progress: float) -> StepOut:
    """One step of score distillation; ``progress`` 0..1 of the stage drives the noise level."""
    context = context.at(knobs, state.step)
    prior, rng = context.prior, state.rng
    cameras = step_cameras(context, knobs, rng)
    behind = background(context, knobs, rng)
    prompts = with_source(context.prompts(cameras, knobs.perp_neg), cameras, behind, context, state, knobs)
    prompts = with_overlap(with_reference(prompts, cameras, context.guide, knobs), context, knobs)
    guidance_state.ensure(state, knobs.guidance, prior, prompts)

    views = _rendered(state, cameras, behind, knobs)
    shown = views.detach()
    prompts = prompts.map(lambda condition: replace(condition, views=shown))
    before = kept(state, context, cameras, behind)
    clipped = bounded(only_inside(views, before), knobs)
    x = prior.encode(clipped)
    t = knobs.timesteps.draw(progress, len(x), prior.schedule, rng, shared=prior.info.joint_views).to(
        x.device
    )
    out = knobs.guidance.loss(x, t, prompts, prior, state.guidance_state, rng)
    fault = nonfinite(out, x, views)
    if fault:
        return StepOut(float(out.loss.detach()), views.detach(), dict(out.metrics), skipped=fault)
    push = out.loss if out.picture_loss is None else out.loss + out.picture_loss(clipped)
    _, prior_share = balance(knobs.fidelity, context.given)
    step = RenderedStep(context, state, knobs, views, cameras, behind, x, t, before)
    losses = Losses.of(step, terms.REFINE, first={"distillation": prior_share * push})
    _backward(state, losses.total())
    metrics = {**out.metrics, **losses.metrics(), **clipping_metrics(clipped, knobs)}
    metrics |= guidance_state.train(state, knobs.guidance, out)
    times = (t + 0.5) / len(prior.schedule)
    metrics |= guiding_metrics(context.guide, state, knobs, times)
    metrics["noise"] = float(t.float().mean()) / len(prior.schedule)
    advance(state, context)  # last, so that a step that fails before has moved nothing
    return StepOut(float(push.detach()), views.detach(), metrics, out.denoised)


def step_cameras(context: Context, knobs: Knobs, rng: torch.Generator) -> Cameras:
    """Random cameras round a 3D scene; the pictures of a canvas keep theirs."""
    spec, info = context.spec, context.prior.info
    if spec.scene == "canvas":
        return draft_cameras(info, spec.draft_views, spec.render_size).to(context.prior.device)
    return random_cameras(info, knobs.views_per_step, spec.render_size, rng).to(context.prior.device)


def fit_step(context: Context, state: RunState, knobs: Knobs, settled: bool) -> StepOut:
    """One step of fitting the scene to the anchor views, without the prior; the loss is the mean squared RGBA
    error.

    The given pictures are looked at in every step, beside some of the anchor views. Once splats are
    ``settled``, having found the surface that they show, they are to lie evenly along it.
    """
    anchor = some_views(context, state, FIT_VIEWS)
    knobs = knobs if settled else replace(knobs, surface_weight=0.0, distortion_weight=0.0)
    views = _rendered(state, anchor.cameras, None, knobs)
    error = (views.rgba - anchor.rgba).square().mean()
    losses = Losses.of(
        RenderedStep(context, state, knobs, views, anchor.cameras), terms.FIT, first={"draft": error}
    )
    _backward(state, losses.total())
    advance(state, context)
    return StepOut(float(error.detach()), views.detach(), losses.metrics())


def _rendered(state: RunState, cameras: Cameras, behind: Tensor | None, knobs: Knobs) -> Views:
    """The scene, with the normals of its splats where they are to lie evenly."""
    even = max(knobs.surface_weight, knobs.distortion_weight) > 0 and isinstance(state.scene, Splats)
    return state.renderer.render(state.scene, cameras, behind, **({"normals": True} if even else {}))


def background(context: Context, knobs: Knobs, rng: torch.Generator) -> Tensor | None:
    """None (black) for priors that see alpha, else the colour (3,) the knob names."""
    if context.prior.info.channels == "rgba":
        return None
    if knobs.background == "random":
        return torch.rand(3, generator=rng).to(context.prior.device)
    return torch.full((3,), BACKGROUNDS[knobs.background], device=context.prior.device)


def _backward(state: RunState, loss: Tensor) -> None:
    """The scene's gradients of this loss alone."""
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()


def decay(progress: float, first: float, last: float) -> float:
    """Cosine from ``first`` at progress 0 to ``last`` at 1."""
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def set_rates(state: RunState, knobs: Knobs, schedule: float) -> None:
    """The step's learning rates: schedule x knob x what roll-backs have left."""
    scale_rates(state.optimiser, schedule * knobs.learning_rate * state.rate_scale)
