"""The object is the same on its left and its right: mirrored views show mirrored pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.cameras import Cameras
from engine.core.views import Views
from engine.guidance.energy.pictures import Pictures
from engine.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def energy(pictures: Pictures) -> Tensor | None:
    """Mean squared difference of colour and opacity from the views of `mirrored`, turned over; None without
    them.
    """
    if pictures.mirrored is None:
        return None
    here, there = (views.rgba for views in (pictures.views, pictures.mirrored))
    return (here - there.flip(2)).square().mean()


def mirrored(cameras: Cameras) -> Cameras:
    """The cameras on the other side of the plane y = 0; each sees turned over what these see of a symmetrical
    object.
    """
    flip = cameras.c2w.new_tensor([1.0, -1.0, 1.0, 1.0])
    c2w = flip[:, None] * cameras.c2w
    c2w = torch.cat([-c2w[..., :1], c2w[..., 1:]], dim=-1)  # and its own x axis, so that it stays a rotation
    return Cameras(c2w, cameras.K, cameras.width, cameras.height)


def partners(cameras: Cameras) -> Tensor | None:
    """For each camera the index (B,) of the one that stands opposite; None where one lacks it."""
    wanted = mirrored(cameras).positions
    apart = torch.cdist(wanted, cameras.positions)
    nearest = apart.min(dim=1)
    return nearest.indices if float(nearest.values.max()) < 1e-3 else None


def of_partners(views: Views, cameras: Cameras) -> Views | None:
    """The mirrored views, where they are among the views themselves, as in a draft from all round."""
    order = partners(cameras)
    return None if order is None else Views(views.rgb[order], views.alpha[order], views.depth[order])
