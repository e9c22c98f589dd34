"""The 3D reference, where the prior cannot be told of it: a pull on the shape, by outline and by where its
surface lies.

Both are seen at the resolution that belongs to the noise, so that while there is much of it only the overall
shape counts.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.views import Views
from engine.loop.terms.rendered import RenderedStep
from engine.prior.reference.maps import Reading, ReferenceMaps, map_resolution, way_of
from engine.prior.reference.strength import Influence


def loss(step: RenderedStep) -> Tensor | None:
    """How far the views are from the reference, by its strength at their noise; None where it acts in another
    way.
    """
    guide = step.context.guide
    if guide is None:
        return None
    influence = guide.pulling(step.knobs)
    if influence.silent or step.t is None:
        return None
    times = (step.t + 0.5) / len(step.context.prior.schedule)
    return step.scaled(
        pull(step.views, step.cameras, guide.model.maps(step.cameras), times, influence, guide.reading)
    )


def pull(
    views: Views, cameras: Cameras, maps: ReferenceMaps, times: Tensor, influence: Influence, reading: Reading
) -> Tensor:
    """How far renders (B) are from the reference's maps at the same size, times the strength at each one's
    noise ``times`` (B,).

    Mean squared errors of alpha and of the premultiplied canonical coordinates, averaged over the views.
    """
    wanted, mask = maps.ccm[0] * maps.mask[0], maps.mask[0]
    rendered = torch.cat([canonical_map(views, cameras), views.alpha], dim=-1).movedim(-1, 1)
    errors = []
    for ours, theirs, time in zip(rendered, torch.cat([wanted, mask], dim=1), times.tolist(), strict=True):
        side = min(map_resolution(way_of(time, reading)), ours.shape[-1])
        square = (F.adaptive_avg_pool2d(ours, side) - F.adaptive_avg_pool2d(theirs, side)).square()
        errors.append(influence.at(time) * (square[:3].mean() + square[3].mean()))
    return torch.stack(errors).mean()


def canonical_map(views: Views, cameras: Cameras) -> Tensor:
    """The canonical coordinates (B,H,W,3) of what renders show, 0..1 and premultiplied, from their depth.

    Depth is a sum of z weighted by alpha, so this equals a render in which every point has its own place for
    a colour.
    """
    origins, directions = cameras.rays()
    forward = cameras.c2w[:, None, None, :3, 2]
    # of length 1 along the camera's axis
    directions = directions / (directions * forward).sum(-1, keepdim=True)
    return (origins * views.alpha + directions * views.depth + views.alpha) / 2
