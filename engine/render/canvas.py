"""The renderer of flat pictures: a camera is shown the picture that stands nearest to its azimuth."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.views import Views, composite
from engine.scene.canvas import Canvas


def render(canvas: Canvas, cameras: Cameras, background: Tensor | None = None) -> Views:
    """One picture for each camera over ``background`` (None: black), resampled to the cameras' image size;
    its depth is 1.
    """
    rgba = resampled(canvas.rgba[nearest_pictures(canvas, cameras)], cameras.height, cameras.width)
    rgb, alpha = rgba.split([3, 1], dim=-1)
    return Views(composite(rgb, alpha, background), alpha, alpha)


def nearest_pictures(canvas: Canvas, cameras: Cameras) -> Tensor:
    """Index (B,) of the picture whose azimuth is nearest to each camera's: v itself for cameras at 360 v / V
    degrees.
    """
    return (cameras.azimuths_deg().to(canvas.device) * (len(canvas) / 360)).round().long() % len(canvas)


def resampled(images: Tensor, height: int, width: int) -> Tensor:
    """``images`` (B,h,w,C) at another size: means of areas where both sides shrink, else bilinear."""
    if images.shape[1:3] == (height, width):
        return images
    shrinks = images.shape[1] >= height and images.shape[2] >= width
    mode, align_corners = ("area", None) if shrinks else ("bilinear", False)
    resized = F.interpolate(
        images.permute(0, 3, 1, 2), size=(height, width), mode=mode, align_corners=align_corners
    )
    return resized.permute(0, 2, 3, 1)
