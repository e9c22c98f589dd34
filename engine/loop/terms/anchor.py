"""The draft holds the shape: squared distance to a few of its views in the prior's space."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.core.views import Views
from engine.loop.state import Anchor, Context, RunState
from engine.loop.terms.rendered import RenderedStep

VIEWS = 2  # how many of them one step looks at


def loss(step: RenderedStep) -> Tensor | None:
    """``anchor_weight`` times half the squared distance, summed over a view like a guidance loss so that
    weights compare.
    """
    state, prior = step.state, step.context.prior
    if state.anchor is None or step.knobs.anchor_weight == 0:
        return None
    anchor = some_views(step.context, state, VIEWS)
    views = state.renderer.render(state.scene, anchor.cameras, None)
    draft = Views(anchor.rgba[..., :3], anchor.rgba[..., 3:], views.depth)
    difference = prior.encode(views) - prior.encode(draft).detach()
    return step.knobs.anchor_weight * 0.5 * difference.square().sum() / len(views)


def some_views(context: Context, state: RunState, count: int) -> Anchor:
    """A few of the anchor views at random; all of them for a canvas, whose pictures are tied to their
    cameras.
    """
    anchor = state.anchor
    assert anchor is not None, "there are none before the draft"
    if context.spec.scene == "canvas":
        return anchor
    chosen = torch.randperm(len(anchor.cameras), generator=state.rng)[:count]
    return Anchor(anchor.rgba[chosen], anchor.cameras[chosen])
