"""The last stage: views of the finished shape are drawn twice as fine by the prior's second stage, and the
scene fitted to them.

``sharpen``  after refining; no word and no noise decides anything here, only edges are still open  (seconds)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch

from engine.core.cameras import Cameras, orbit_cameras
from engine.loop.spec import Knobs
from engine.loop.state import Anchor, Context, RunState, make_optimiser
from engine.loop.step import StepOut, decay, fit_step, set_rates
from engine.loop.visual_hull import sample_views
from engine.prior.abilities import Sharpens
from engine.prior.base import PriorInfo
from engine.scene.densify import pruned, refined
from engine.scene.splats import Splats

VIEWS, ELEVATIONS_DEG = 16, (-5.0, 12.0, 30.0, 48.0)
GROWTH = 0.5
"""Splats that are added where the finer views ask for them, as a share of those there are."""

HALVED_FROM, LONGEST = 0.012, 0.03
"""World units: splats that are longer than the first are halved, shorter ones doubled; none begins longer
than the second.
"""

EMPTY, EMPTY_VIEWS, LEAST_KEPT = 0.1, 2, 0.3
"""Alpha below which a view sees nothing, how many such views are believed, and the share of splats that has
to be left.
"""

FIRST_RATE, LAST_RATE = 1.0, 0.2


def sharpen(context: Context, state: RunState, live: Callable[[], Knobs]) -> Iterator[StepOut]:
    """Draw the shape's own views finer, add splats where they differ most, and fit the scene."""
    steps = context.spec.sharpen_steps
    if state.step == 0:
        state.anchor = finer_views(context, state)
        state.picture_size = state.anchor.cameras.width
        if isinstance(state.scene, Splats):
            state.scene = trimmed(state.scene, state.anchor)
            state.scene = densified(state)
        state.optimiser = make_optimiser(state.scene)
    while state.step < steps:
        set_rates(state, live(), decay(state.step / steps, FIRST_RATE, LAST_RATE))
        out = fit_step(context, state, live(), settled=True)
        state.step += 1
        yield out


@torch.no_grad()
def finer_views(context: Context, state: RunState) -> Anchor:
    """What the prior's second stage makes of the scene, seen from all round."""
    prior = context.prior
    assert isinstance(prior, Sharpens)
    cameras = sharpening_cameras(prior.info, prior.info.resolution).to(prior.device)
    finer = prior.sharpened(state.renderer.render(state.scene, cameras, None))
    size = finer.rgb.shape[1]
    return Anchor(finer.rgba, sharpening_cameras(prior.info, size).to(prior.device))


def sharpening_cameras(info: PriorInfo, size: int) -> Cameras:
    """``VIEWS`` cameras evenly in azimuth, at four heights in turn."""
    azimuths = [360.0 * i / VIEWS for i in range(VIEWS)]
    elevations = [ELEVATIONS_DEG[i % len(ELEVATIONS_DEG)] for i in range(VIEWS)]
    return orbit_cameras(azimuths, elevations, info.distance, info.fov_deg, size)


@torch.no_grad()
def trimmed(scene: Splats, anchor: Anchor) -> Splats:
    """Without what frays outlines: splats that several views see nothing of, and the ends of needles.

    A scene of little else than fog keeps all its splats.
    """
    empty = sample_views(anchor, scene.means)[..., 3] < EMPTY
    keep = empty.sum(0) < EMPTY_VIEWS
    kept = scene if float(keep.float().mean()) < LEAST_KEPT else pruned(scene, keep).splats
    return replace(kept, log_scales=kept.log_scales.clamp(max=math.log(LONGEST)))


def densified(state: RunState) -> Splats:
    """The splats of ``state.scene``, with ``GROWTH`` more where a move would lower the error of the anchor's
    views most.
    """
    scene, anchor = state.scene, state.anchor
    assert isinstance(scene, Splats) and anchor is not None
    scene.means.requires_grad_()
    pull = torch.zeros(len(scene), device=scene.means.device)
    for i in range(len(anchor.cameras)):
        views = state.renderer.render(scene, anchor.cameras[i : i + 1], None)
        error = (views.rgba - anchor.rgba[i : i + 1]).square().mean()
        pull += torch.autograd.grad(error, scene.means)[0].norm(dim=1)
    least = torch.kthvalue(pull, max(1, round(len(scene) * (1 - GROWTH)))).values
    return refined(scene, pull, state.rng, float(least), HALVED_FROM).splats
