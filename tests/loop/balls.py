"""A whole run in closed form: a prior that knows one object, a coloured ball, and knows it from every
side.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from engine.core.noise_schedule import scaled_linear
from engine.loop.messages import Command, Event
from engine.loop.spec import Knobs, RunSpec
from engine.prior.analytic import JointAnalyticPrior, gaussian
from engine.prior.base import Prior

SIZE = 32
RADIUS = 0.6
COLOUR = (0.9, 0.2, 0.1)
PROMPT = "a red ball"


def ball_picture(
    colour: tuple[float, float, float] = COLOUR, size: int = SIZE, radius: float = RADIUS
) -> torch.Tensor:
    """Premultiplied RGBA (4,size,size) in -1..1 of a ball, which looks the same from everywhere."""
    info = ball_prior_info()
    focal = 0.5 / torch.tan(torch.deg2rad(torch.tensor(info.fov_deg / 2)))
    outline = focal * radius / (info.distance**2 - radius**2) ** 0.5  # in picture sides
    axis = (torch.arange(size) + 0.5) / size - 0.5
    alpha = ((outline - (axis[:, None] ** 2 + axis**2).sqrt()) * size + 0.5).clamp(0, 1)
    rgba = torch.stack([*(channel * alpha for channel in colour), alpha])
    return 2 * rgba - 1


def ball_prior_info():
    prior = JointAnalyticPrior({"": gaussian(torch.zeros(4, SIZE, SIZE))}, rho=0.9)
    return replace(prior.info, id="ball", elevation_range_deg=(-10.0, 40.0))


def ball_prior(name: str = "ball") -> Prior:
    """The prior; ``name`` is there so that this function can stand in for ``load_prior``."""
    concepts = {
        PROMPT: gaussian(ball_picture(), std=0.05),
        "": gaussian(torch.full((4, SIZE, SIZE), -0.6), std=0.3),
        "a blue ball": gaussian(ball_picture((0.1, 0.2, 0.9)), std=0.05),
    }
    prior = JointAnalyticPrior(concepts, rho=0.9, schedule=scaled_linear())
    prior.info = ball_prior_info()
    return prior


def quick_spec(**changes) -> RunSpec:
    """A run of a few seconds."""
    values = {
        "prompt": PROMPT,
        "prior": "ball",
        "splats": 400,
        "voxels": 24,
        "render_size": SIZE,
        "draft_views": 4,
        "draft_guidance_scale": 1.0,
        "sampling_steps": 4,
        "fit_steps": 30,
        "refine_steps": 20,
    }
    return RunSpec(**{**values, **changes})


def quick_knobs(**changes) -> Knobs:
    """Guidance that is gentle enough for a prior that is certain."""
    knobs = Knobs()
    guidance = replace(knobs.guidance, guidance_scale=1.0, weighting="denoise")
    return replace(knobs, guidance=guidance, **changes)


def guided_knobs(**changes) -> Knobs:
    """As gentle, with two calls of the prior a step: at a guidance scale of 1 there is one."""
    knobs = quick_knobs(**changes)
    return replace(knobs, guidance=replace(knobs.guidance, guidance_scale=1.01))


class ScriptedCommands:
    """Hands out commands at given takes: ``{3: [Stop()]}`` stops at the third."""

    def __init__(self, script: dict[int, list[Command]]) -> None:
        self.script, self.takes = script, 0

    def take(self) -> list[Command]:
        self.takes += 1
        return self.script.get(self.takes, [])


def of_type(events: list[Event], kind: type) -> list:
    """The events of one type."""
    return [event for event in events if isinstance(event, kind)]
