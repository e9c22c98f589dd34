"""A scene copy as it is drawn: its splats as wide as they were optimised, on its own device, in uint8."""

from __future__ import annotations

import numpy as np
import torch

from engine.core.camera import intrinsics
from engine.loop.messages import SceneCopy
from engine.render.splats_torch import EPS2D
from engine.scene import splats
from engine.scene.base import Scene


def shown(copy: SceneCopy, pixel: float = 0.0) -> Scene:
    """The scene as it should be drawn where a pixel covers ``pixel`` world units at the object.

    Splats are optimised under a screen-space blur of ``EPS2D`` square pixels. Drawn larger they would look
    thinner than what was optimised, so what is missing of that blur is made part of their shape (the 3D
    filter of Mip-Splatting, arXiv 2311.16493).
    """
    if not isinstance(copy.scene, splats.Splats) or not copy.render_size:
        return copy.scene
    trained = copy.distance / float(intrinsics(copy.fov_deg, copy.render_size, copy.render_size)[1, 1])
    missing = EPS2D * (trained**2 - pixel**2)
    return splats.smoothed(copy.scene, missing**0.5) if missing > 0 else copy.scene


def device_of(copy: SceneCopy) -> torch.device:
    """Where the copy's tensors live."""
    return next(iter(copy.scene.parameters().values())).device


def to_uint8(rgb: torch.Tensor) -> np.ndarray:
    """Pictures 0..1 to uint8."""
    return (rgb.clamp(0, 1) * 255 + 0.5).to(torch.uint8).cpu().numpy()
