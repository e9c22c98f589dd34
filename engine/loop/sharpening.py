"""The last stage: views of the finished shape are drawn twice as fine by the prior's second stage, and the scene fitted to them.

``sharpen``  after refining; no word and no noise decides anything here, only edges are still open  (seconds)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.loop.spec import Knobs
from engine.loop.state import Anchor, Context, RunState, make_optimiser
from engine.loop.step import StepOut, decay, fit_step, set_rates
from engine.prior.base import PriorInfo, Sharpens
from engine.scene.densify import refined
from engine.scene.splats import Splats

VIEWS, ELEVATIONS_DEG = 16, (-5.0, 12.0, 30.0, 48.0)
GROWTH = 0.5
"""Splats that are added where the finer views ask for them, as a share of those there are."""

HALVED_FROM = 0.012
"""World units: splats that are longer are halved, shorter ones doubled."""

FIRST_RATE, LAST_RATE = 1.0, 0.2


def sharpen(context: Context, state: RunState, live: Callable[[], Knobs]) -> Iterator[StepOut]:
    """Draw the shape's own views finer, add splats where they differ most, and fit the scene."""
    steps = context.spec.sharpen_steps
    if state.step == 0:
        state.anchor = finer_views(context, state)
        state.picture_size = state.anchor.cameras.width
        if isinstance(state.scene, Splats):
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
    return Anchor(torch.cat([finer.rgb, finer.alpha], dim=-1), sharpening_cameras(prior.info, size).to(prior.device))


def sharpening_cameras(info: PriorInfo, size: int) -> Cameras:
    """``VIEWS`` cameras evenly in azimuth, at four heights in turn."""
    azimuths = [360.0 * i / VIEWS for i in range(VIEWS)]
    elevations = [ELEVATIONS_DEG[i % len(ELEVATIONS_DEG)] for i in range(VIEWS)]
    return orbit_cameras(azimuths, elevations, info.distance, info.fov_deg, size)


def densified(state: RunState) -> Splats:
    """The splats of ``state.scene``, with ``GROWTH`` more where a move would lower the error of the anchor's views most."""
    scene, anchor = state.scene, state.anchor
    assert isinstance(scene, Splats) and anchor is not None
    pull = torch.zeros(len(scene), device=scene.means.device)
    for i in range(len(anchor.cameras)):
        views = _rendered(state, anchor.cameras[i : i + 1])
        error = (torch.cat([views.rgb, views.alpha], dim=-1) - anchor.rgba[i : i + 1]).square().mean()
        pull += torch.autograd.grad(error, scene.means)[0].norm(dim=1)
    least = torch.kthvalue(pull, max(1, round(len(scene) * (1 - GROWTH)))).values
    return refined(scene, pull, state.rng, float(least), HALVED_FROM).splats


def _rendered(state: RunState, cameras: Cameras) -> Views:
    return state.renderer.render(state.scene, cameras, None)
