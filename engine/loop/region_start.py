"""How a region begins: views drafted with all else held, and new splats where they show matter; or filled
with grey.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from scipy.spatial import KDTree
from torch import Tensor

from engine.core.boxes import Box
from engine.core.cameras import Cameras
from engine.loop.region import Kept, check_region, check_visible, kept
from engine.loop.region_settings import FILL, boxes_in
from engine.loop.state import Context, RunState, make_optimiser
from engine.loop.viewpoints import draft_cameras
from engine.loop.visual_hull import SOLID, sample_views
from engine.prior.base import Prediction, Prior
from engine.scene.splats import Splats, from_points

CANDIDATES = 20_000
SCALE = 0.03  # of new splats; as far as that from one that is there, nothing new is needed
OPACITY = {True: 0.3, False: 0.5}  # of a region that is filled, and of one that was drafted
GREY = 0.5
CHECKED_VIEWS = 8

Correction = Callable[[Prediction, Tensor, Tensor], Prediction]


def keep_before(context: Context, state: RunState) -> tuple[str, ...]:
    """Remember the scene that a run sets out from; what a person should know of the region that shall change.

    Raises InputError as `check_region` and `check_visible` do.
    """
    if context.spec.start != "file":
        return ()
    state.source = state.scene.frozen_copy()
    boxes = boxes_in(context.spec.region)
    if not boxes:
        return ()
    assert isinstance(state.source, Splats), "a file holds splats"
    notes = check_region(boxes, state.source)
    info = context.prior.info
    cameras = draft_cameras(info, CHECKED_VIEWS, context.spec.render_size).to(context.prior.device)
    before = kept(state, context, cameras, None)
    assert before is not None, "there is a region"
    check_visible(before)
    return notes


def held_draft(context: Context, state: RunState, cameras: Cameras) -> Correction:
    """Sampled views with all that lies outside the region as the source shows it (blended diffusion, arXiv
    2111.14818).
    """
    before = kept(state, context, cameras, None)
    if before is None:
        return lambda prediction, x_t, t: prediction
    prior = context.prior
    target, mask = prior.encode(before.views), _mask_in(prior, before)

    def corrected(prediction: Prediction, x_t: Tensor, t: Tensor) -> Prediction:
        x0 = mask * prediction.x0 + (1 - mask) * target
        a, sig = prior.schedule.signal_and_noise(t, x_t)
        return Prediction((x_t - a * x0) / sig, x0)

    return corrected


def _mask_in(prior: Prior, before: Kept) -> Tensor:
    """Where the prior's cells may change (B,1,h,w), in 0..1."""
    side = prior.encode(before.views).shape[-1]
    return torch.nn.functional.interpolate(before.mask.movedim(-1, 1), size=(side, side), mode="area")


def grow_region(context: Context, state: RunState) -> None:
    """Add splats in the region: where the drafted views agree on matter that is not there yet, or everywhere
    in grey.
    """
    boxes = boxes_in(context.spec.region)
    if not boxes:
        return
    filled = context.spec.region_start == FILL
    source = state.source
    assert isinstance(source, Splats), "a file holds splats"
    points = _random_points(boxes, state.rng).to(source.device)
    colours = torch.full_like(points, GREY)
    if not filled:
        assert state.anchor is not None, "the draft leaves its views"
        rgba = sample_views(state.anchor, points)
        solid = rgba[..., 3].amin(dim=0) > SOLID
        colours = rgba[..., :3].sum(0) / rgba[..., 3:].sum(0).clamp(min=1e-3)
        points, colours = points[solid], colours[solid].clamp(0.02, 0.98)
    chosen = _spread(points, source.means, context.spec.splats)
    new = from_points(points[chosen], colours[chosen], scale=SCALE, opacity=OPACITY[filled])
    parts = {
        name: torch.cat([old.detach(), new.parameters()[name]])
        for name, old in state.scene.parameters().items()
    }
    state.scene = Splats(**parts)
    state.optimiser = make_optimiser(state.scene)


def _random_points(boxes: tuple[Box, ...], rng: torch.Generator) -> Tensor:
    """Points (N,3) in the boxes, as many in each as belong to its share of their volume."""
    volumes = torch.tensor([box.sides[0] * box.sides[1] * box.sides[2] for box in boxes])
    chosen = torch.multinomial(volumes, CANDIDATES, replacement=True, generator=rng)
    low, high = (torch.tensor([getattr(box, side) for box in boxes])[chosen] for side in ("low", "high"))
    return low + (high - low) * torch.rand(CANDIDATES, 3, generator=rng)


def _spread(points: Tensor, there: Tensor, most: int) -> Tensor:
    """Indices of points (N,3) at least `SCALE` from what is ``there`` (M,3), one in each cell; ``most`` of
    them.
    """
    if len(points) == 0:
        return torch.zeros(0, dtype=torch.long, device=points.device)
    here, known = points.cpu().numpy(), KDTree(there.detach().cpu().numpy())
    new = known.query(here)[0] > SCALE
    cells: dict[tuple[int, ...], int] = {}
    for index, cell in enumerate(map(tuple, (here / (0.6 * SCALE)).astype(int))):
        if new[index]:
            cells.setdefault(cell, index)
    return torch.tensor(list(cells.values())[:most], dtype=torch.long, device=points.device)
