"""A change that is bound to boxes of a scene: what may change, where pictures show it, and what is held
(arXiv 2310.11784).

| here | paper (Progressive3D) |
|---|---|
| `editable` | M: the box lies in front of what the scene showed, equation 4 |
| `terms/outside.py`, `terms/region_fill.py` | L_consist and L_init, equations 5 and 6 |
| `engine.prior.overlap` | OSCS, equation 9 |

Beside the paper's losses, splats that do not lie in a box with their rim do not move at all: what is kept is
kept to the bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.core.boxes import Box, contained, first_depth
from engine.core.cameras import Cameras
from engine.core.views import Views
from engine.errors import InputError
from engine.loop.region_settings import boxes_in
from engine.loop.spec import Knobs
from engine.loop.state import Context, RunState
from engine.prior.base import Overlap, Prompts
from engine.scene.splats import Splats, covariances

SOLID = 0.8  # alpha from which on a pixel of the source shows a surface, as in the paper
MOST = 0.98  # share of the visible matter from which on a box holds all of it
RIM = 2.0  # standard deviations of a splat that still count as it
LARGEST = 0.25  # of the box's shortest side: the standard deviation of what may grow in it


@dataclass(frozen=True, eq=False)
class Kept:
    """The scene as it was, seen from the cameras of a step: ``views``, and where they may change: ``mask``
    (B,H,W,1) 0 or 1.
    """

    views: Views
    mask: Tensor


def editable(views: Views, cameras: Cameras, boxes: tuple[Box, ...]) -> Tensor:
    """M (B,H,W,1), 0 or 1: the ray meets a box before the surface of ``views``. Both depths are along the
    camera's axis.
    """
    surface = torch.where(views.alpha > SOLID, views.depth / views.alpha.clamp(min=SOLID), torch.inf)
    entry = first_depth(boxes, cameras).to(surface)
    return ((entry < surface) & entry.isfinite()).to(views.rgb)


def kept(state: RunState, context: Context, cameras: Cameras, background: Tensor | None) -> Kept | None:
    """The source from these cameras over the same background; None for a run that may change all."""
    boxes = boxes_in(context.spec.region)
    if not boxes:
        return None
    assert state.source is not None, "a region is of a scene that was there"
    with torch.no_grad():
        views = state.renderer.render(state.source, cameras, background)
        return Kept(views, editable(views, cameras, boxes))


def only_inside(views: Views, kept: Kept | None) -> Views:
    """The same pictures, whose gradient comes from where they may change alone."""
    if kept is None:
        return views
    inside = lambda part: kept.mask * part + (1 - kept.mask) * part.detach()  # noqa: E731
    return replace(views, rgb=inside(views.rgb), alpha=inside(views.alpha))


def with_overlap(prompts: Prompts, context: Context, knobs: Knobs) -> Prompts:
    """``prompts`` beside the words for the scene as it is, where there are any."""
    if context.was is None:
        return prompts
    plain = prompts.positive
    was = context.was_at(plain.cameras)
    return (
        prompts
        if was is None
        else replace(prompts, overlap=Overlap(plain.with_text(was), knobs.overlap_suppression))
    )


def free_rows(state: RunState, boxes: tuple[Box, ...]) -> Tensor:
    """Which splats may change (N,): those of the source that lie in a box with their rim, and all that came
    after them.
    """
    scene, source = state.scene, state.source
    assert isinstance(scene, Splats) and isinstance(source, Splats), "regions are of splats"
    free = torch.ones(len(scene.means), dtype=torch.bool, device=scene.device)
    free[: len(source)] = _within(boxes, source.means, _reach(source))
    return free


def _reach(splats: Splats) -> Tensor:
    """How far splats show along the axes of the world (N,3)."""
    return RIM * torch.diagonal(covariances(splats), dim1=1, dim2=2).sqrt()


def _within(boxes: tuple[Box, ...], means: Tensor, reach: Tensor) -> Tensor:
    fits = [
        (means - reach >= means.new_tensor(box.low)) & (means + reach <= means.new_tensor(box.high))
        for box in boxes
    ]
    return torch.stack([each.all(dim=-1) for each in fits]).any(dim=0)


def advance(state: RunState, context: Context) -> None:
    """One step of the optimiser; outside the region nothing moves, and nothing leaves it."""
    boxes = boxes_in(context.spec.region)
    if not boxes:
        state.optimiser.step()
        return
    assert isinstance(state.scene, Splats)
    free = free_rows(state, boxes)
    for tensor in state.scene.parameters().values():
        if tensor.grad is not None:
            tensor.grad[~free] = 0
    state.optimiser.step()
    with torch.no_grad():
        _confine(state.scene, free, boxes)


def _confine(scene: Splats, free: Tensor, boxes: tuple[Box, ...]) -> None:
    """Bound the size of splats, and bring those whose rim has left the boxes back to the nearest face."""
    rows = free.nonzero()[:, 0]
    largest = math.log(LARGEST * min(min(box.sides) for box in boxes))
    scene.log_scales[rows] = scene.log_scales[rows].clamp(max=max(largest, -5.0))
    means, reach = scene.means[rows], _reach(scene)[rows]
    inside = [_moved_into(box, means, reach) for box in boxes]
    nearest = torch.stack([(each - means).norm(dim=-1) for each in inside]).argmin(dim=0)
    scene.means[rows] = torch.stack(inside)[nearest, torch.arange(len(rows), device=means.device)]


def _moved_into(box: Box, means: Tensor, reach: Tensor) -> Tensor:
    """Where splats lie in a box with their rim, as near as may be; in the middle where they do not fit."""
    low, high = means.new_tensor(box.low) + reach, means.new_tensor(box.high) - reach
    middle = 0.5 * (low + high)
    return torch.maximum(torch.minimum(means, torch.maximum(high, middle)), torch.minimum(low, middle))


def check_region(boxes: tuple[Box, ...], source: Splats) -> tuple[str, ...]:
    """What a person should know of boxes on this scene. Raises InputError where they hold all of it.

    Shares are of visible matter: opacity times the area that a splat covers.
    """
    weights = source.opacities * source.scales.topk(2, dim=-1).values.prod(-1)
    share = float(weights[contained(boxes, source.means)].sum() / weights.sum().clamp(min=1e-12))
    if share > MOST:
        raise InputError(
            f"The region holds all of the object ({share:.0%}), so that nothing would be kept.",
            "Make its boxes smaller, or generate it anew with the new words.",
        )
    if share == 0:
        return ("The region holds nothing yet: what the words add grows there.",)
    return (f"The region holds {share:.0%} of the object; the rest stays as it is.",)


def check_visible(kept: Kept) -> None:
    """Raises InputError for a region that no picture shows: one within the object, or beyond every camera."""
    if not bool(kept.mask.any()):
        raise InputError(
            "The region cannot be seen from anywhere: it lies within the object, or out of sight.",
            "Move its boxes to the surface or beside it; the object fills -1 to 1 on each axis.",
        )
