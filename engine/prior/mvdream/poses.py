"""Our cameras as the 16 numbers that MVDream was trained with.

| | here | MVDream |
|---|---|---|
| world | +z up, the front of an object faces +x | Blender's: +z up, the front faces -y |
| camera axes | OpenCV: right, down, forward | OpenGL: right, up, backward |
| position | in the world | moved to the unit sphere |
| numbers | c2w (4,4) | c2w, row by row |

Checked against ``mvdream/camera_utils.py`` in bytedance/MVDream: with both changes of axes our azimuth and elevation are its
own. From azimuth 0 one sees the front of a glTF model: +z by that format's definition, and -y once Blender has imported it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.math.cameras import Cameras

WORLD = ((0.0, 1.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0))  # our +x is their -y, our +y their +x
AXES = (1.0, -1.0, -1.0, 1.0)


def camera_numbers(cameras: Cameras) -> Tensor:
    """The camera condition (B,16) of B cameras, none of which stands at the origin."""
    turned = torch.eye(4, dtype=cameras.c2w.dtype, device=cameras.c2w.device)
    turned[:3, :3] = turned.new_tensor(WORLD)
    c2w = turned @ cameras.c2w * turned.new_tensor(AXES)
    position = torch.nn.functional.normalize(c2w[:, :3, 3], dim=1)
    return torch.cat([torch.cat([c2w[:, :3, :3], position[..., None]], dim=2), c2w[:, 3:]], dim=1).flatten(1)
