"""How like the reference is to what is wanted, before anything is made: what the gate is judged by."""

from __future__ import annotations

import torch

from engine.core.cameras import Cameras
from engine.core.views import Views
from engine.loop.reference.guide import Guide, mask_of
from engine.loop.reference.likeness import probe_cameras
from engine.loop.state import Context
from engine.prior.reference.silhouette import outline_iou
from engine.prior.sampling import predict_guided

NOISE = 0.98
"""Share of the schedule at which a prior is asked for its first guess: nearly nothing but noise."""


def wanted_likeness(context: Context, guide: Guide) -> float | None:
    """IoU of the reference's outlines with the given pictures', else with the prior's first guess at the
    words.

    None without pictures, for priors that see no alpha or not all sides of one object at once.
    """
    given = context.given
    if given is not None:
        each = outline_iou(given.rgba[..., 3:], mask_of(guide.model.maps(given.cameras)))
        return float((given.weights * each).sum() / given.weights.sum())
    info = context.prior.info
    if info.channels != "rgba" or not info.joint_views:
        return None
    cameras = probe_cameras(info, info.resolution).to(context.prior.device)
    return float(outline_iou(_first_guess(context, cameras).alpha, mask_of(guide.model.maps(cameras))).mean())


@torch.no_grad()
def _first_guess(context: Context, cameras: Cameras) -> Views:
    """What the prior sees in noise when it is told the words, and no reference: the mean of what they may
    mean.
    """
    prior = context.prior
    empty = torch.zeros(len(cameras), cameras.height, cameras.width, 1, device=prior.device)
    like = prior.encode(Views(empty.expand(-1, -1, -1, 3), empty, empty))
    noise = torch.randn(like.shape, generator=torch.Generator().manual_seed(context.spec.seed)).to(like)
    t = torch.full((len(cameras),), prior.schedule.index(NOISE), device=prior.device)
    return prior.decode(predict_guided(prior, noise, t, context.prompts(cameras), 1.0).x0)
