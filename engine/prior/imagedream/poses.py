"""Our cameras as the 16 numbers that ImageDream was trained with.

| | here | ImageDream |
|---|---|---|
| world | +z up, azimuth from +x towards +y | the same |
| the picture's camera | at its azimuth | at azimuth 0, on +x: the front of the object is what the picture shows |
| camera axes | OpenCV: right, down, forward | OpenGL: right, up, backward |
| position | in the world | moved to the unit sphere |
| numbers | c2w (4,4) | c2w, row by row |

The picture's own view has no camera: all numbers are 0. Checked against ``get_camera`` and ``multiview_diffusion_guidance.py`` in
bytedance/ImageDream, whose scenes have azimuth 0 on +x, and against ashawkey/mvdream_diffusers, where +x is the second view.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.core.cameras import Cameras

AXES = (1.0, -1.0, -1.0, 1.0)


def camera_numbers(cameras: Cameras, front_deg: float) -> Tensor:
    """The camera condition (B,16) of B cameras beside a picture from azimuth ``front_deg``; none stands at the origin."""
    c2w = _turn(-front_deg).to(cameras.c2w) @ cameras.c2w * cameras.c2w.new_tensor(AXES)
    position = torch.nn.functional.normalize(c2w[:, :3, 3], dim=1)
    return torch.cat([torch.cat([c2w[:, :3, :3], position[..., None]], dim=2), c2w[:, 3:]], dim=1).flatten(1)


def _turn(degrees: float) -> Tensor:
    """A rotation about +z (4,4)."""
    angle = torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))
    turned = torch.eye(4, dtype=torch.float64)
    turned[:2, :2] = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
    return turned
