"""The pictures that an artist gave: how far the scene is from them, seen from where they were taken."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.loop.input_images import balance, given_loss
from engine.loop.terms.rendered import RenderedStep

VIEWS = 2  # how many of them one step looks at


def loss(step: RenderedStep) -> Tensor | None:
    """The error of a few of the pictures; against the prior's push by ``fidelity``, in a fit as it is."""
    far = distance(step)
    if far is None or step.x is None:
        return far
    share, _ = balance(step.knobs.fidelity, step.context.given)
    return share * step.scaled(far)


def distance(step: RenderedStep) -> Tensor | None:
    """The mean error of a few of the pictures over the step's background; None where none are given."""
    given, state = step.context.given, step.state
    if given is None:
        return None
    if len(given) > VIEWS:
        given = given[torch.randperm(len(given), generator=state.rng)[:VIEWS]]
    views = state.renderer.render(state.scene, given.cameras, step.background)
    return given_loss(given, views, step.background, step.knobs.image_depth, step.knobs.image_normals_weight)
