"""What a ControlNet is shown of a render, drawn as the pictures that it was trained on.

``depth``: inverse depth as MiDaS gives it, normalised in each view: white is nearest, black is infinitely far
(the background). Trained so: control_v11f1p_sd15_depth, controlnet-sd21-depth, controlnet-depth-sdxl-1.0.

``normal``: the unit normal in camera axes, each component of -1..1 shown as 0..1. Red grows to the left,
green upwards, blue towards the camera (ScanNet's colours): a surface that faces the camera, and the
background, is (0.5, 0.5, 1). Trained so: control_v11p_sd15_normalbae; sd-controlnet-normal, whose normals
come from the slopes of inverse depth, has the same axes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.core.cameras import Cameras
from engine.core.normals import SOLID, camera_normals
from engine.core.views import Views
from engine.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

Picture = Callable[[Views, Cameras], "Tensor"]
"""Renders and their cameras to pictures (B,H,W,3) in 0..1."""


def depth_picture(views: Views, cameras: Cameras) -> Tensor:
    """``nearest / z``, faded with alpha. Scaling scene and distance changes nothing; a view that shows
    nothing is black.
    """
    inverse = views.alpha / views.depth.clamp(min=1e-6)
    nearest = torch.where(views.alpha > SOLID, inverse, 0.0).amax(dim=(1, 2), keepdim=True)
    share = torch.where(nearest > 0, inverse / nearest.clamp(min=1e-12), 0.0).clamp(0, 1)
    return (views.alpha * share).expand(-1, -1, -1, 3)


def normal_picture(views: Views, cameras: Cameras) -> Tensor:
    """Our axes (+x right, +y down, +z away) are the exact opposite of the picture's."""
    return (1 - camera_normals(views.depth, views.alpha, cameras)) / 2


PICTURES: dict[str, Picture] = {"depth": depth_picture, "normal": normal_picture}
