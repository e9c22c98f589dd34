"""Our cameras as the 16 numbers that MVDream was trained with.

| | here | MVDream |
|---|---|---|
| world | +z up, the front of an object faces +x, azimuth 0 | the same world; it counts this azimuth as 90 |
| camera axes | OpenCV: right, down, forward | OpenGL: right, up, backward |
| position | in the world | moved to the unit sphere |
| numbers | c2w (4,4) | c2w, row by row |

Checked against ``mvdream/camera_utils.py`` in bytedance/MVDream, whose azimuth 0 is -y and whose azimuth 90 is +x.
What it draws as the front is its azimuth 90: ``scripts/t2i.py`` starts there by default, DreamGaussian's ``main.py``
and LGM's text path take the second of the four views that start at 0 as the front, and MVDream-threestudio passes its
cameras, whose azimuth 0 is +x, unturned.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.core.cameras import Cameras

AXES = (1.0, -1.0, -1.0, 1.0)


def camera_numbers(cameras: Cameras) -> Tensor:
    """The camera condition (B,16) of B cameras, none of which stands at the origin."""
    c2w = cameras.c2w * cameras.c2w.new_tensor(AXES)
    position = torch.nn.functional.normalize(c2w[:, :3, 3], dim=1)
    return torch.cat([torch.cat([c2w[:, :3, :3], position[..., None]], dim=2), c2w[:, 3:]], dim=1).flatten(1)
