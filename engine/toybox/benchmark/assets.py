"""Making finished 3D assets to be judged: the product's own run from a prompt, and its fit stage on given
views.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from engine.core.camera import orbit_camera
from engine.core.cameras import Cameras
from engine.loop.frames import render_rgba
from engine.loop.messages import Command, Finished, SceneCopy, StageStarted, Watch
from engine.loop.run import run
from engine.loop.settings import Settings
from engine.loop.stages import first_scene, fit
from engine.loop.state import Anchor, Context, RunState, make_optimiser
from engine.prior.base import Prior
from engine.prior.toybox.info import RESOLUTION
from engine.render import choose
from engine.toybox.objects import ToyObject
from engine.toybox.pictures import render_object


@dataclass(frozen=True, eq=False)
class Asset:
    """A finished scene, the same after the draft was fitted (None without a draft), and seconds by stage."""

    refined: SceneCopy
    draft: SceneCopy | None
    seconds: Mapping[str, float]


class LookOnce:
    """Commands that asks for one copy of the scene, after step ``step``, and changes nothing."""

    def __init__(self, step: int) -> None:
        self.step, self.steps_done = step, -1

    def take(self) -> list[Command]:
        """Called before the first step and after each; a copy is made while a step is reported, so ask one
        step ahead.
        """
        self.steps_done += 1
        return [Watch(self.steps_done == self.step - 1)]


def generate(prompt: str, seed: int, settings: Settings, prior: Prior) -> Asset:
    """Run the product from a prompt to the end."""
    spec = replace(settings.spec, prompt=prompt, seed=seed)
    draft, finished, refining = None, None, False
    for event in run(spec, settings.knobs, LookOnce(spec.sampling_steps + spec.fit_steps), lambda _: prior):
        refining = refining or (isinstance(event, StageStarted) and event.stage == "refine")
        if isinstance(event, SceneCopy) and not refining:
            draft = event
        if isinstance(event, Finished):
            finished = event
    assert finished is not None, "a run ends with it"
    return Asset(finished.copy, draft, finished.seconds)


def fit_views(rgba: torch.Tensor, cameras: Cameras, settings: Settings, prior: Prior) -> SceneCopy:
    """The product's fit stage on given views ``rgba`` (V,H,W,4), premultiplied, instead of drafted ones."""
    spec = settings.spec
    context, rng = Context.of(spec, prior), torch.Generator().manual_seed(spec.seed)
    scene = first_scene(spec, rng, prior.device)
    state = RunState(scene, choose(scene, spec.backend), rng, make_optimiser(scene))
    state.anchor = Anchor(rgba.to(prior.device), cameras.to(prior.device))
    for _ in fit(context, state, lambda: settings.knobs):
        pass
    info = prior.info
    scene = state.scene.frozen_copy()
    return SceneCopy(state.step, 0, scene, spec.backend, info.fov_deg, info.distance, spec.render_size)


def true_views(obj: ToyObject, cameras: Cameras) -> torch.Tensor:
    """The object from canonical cameras: (V,S,S,4) premultiplied RGBA."""
    buffers = render_object(
        obj, cameras.azimuths_deg().tolist(), cameras.elevations_deg().tolist(), cameras.width
    )
    return torch.from_numpy(buffers.rgba)


def see(copy: SceneCopy, azimuths_deg: Sequence[float], elevations_deg: Sequence[float]) -> np.ndarray:
    """A copy from canonical cameras: (B,64,64,4) float32 premultiplied RGBA in 0..1."""
    cameras = [
        orbit_camera(azimuth, elevation, copy.distance, copy.fov_deg, RESOLUTION)
        for azimuth, elevation in zip(azimuths_deg, elevations_deg, strict=True)
    ]
    return render_rgba(copy, cameras).astype(np.float32) / 255
