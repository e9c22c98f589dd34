"""The way from a picture's camera to a new one, as Zero123 is told it (arXiv 2303.11328, section 3.2).

| number | Zero123, Zero123-XL | Stable Zero123 |
|---|---|---|
| 0 | difference of the polar angles from the top, radians: negative where the new camera is higher | the same |
| 1, 2 | sine and cosine of the difference of the azimuths | the same |
| 3 | difference of the distances | polar angle of the picture's camera, radians |

Only differences of azimuth count, and both worlds have +z up with azimuth from +x towards +y: nothing has to be turned.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.core.cameras import Cameras


def camera_difference(cameras: Cameras, given: Cameras, *, stable: bool = False) -> Tensor:
    """The four numbers (B,4) for each of B cameras beside its picture's, all looking at the origin."""
    polar, given_polar = (torch.deg2rad(90 - each.elevations_deg()) for each in (cameras, given))
    azimuth = torch.deg2rad(cameras.azimuths_deg() - given.azimuths_deg())
    distance = cameras.positions.norm(dim=1) - given.positions.norm(dim=1)
    return torch.stack([polar - given_polar, azimuth.sin(), azimuth.cos(), given_polar if stable else distance], dim=1)


def nearest(cameras: Cameras, given: Cameras) -> Tensor:
    """For each of B cameras the index (B,) of the one of M given ones that looks at the origin from nearest to its side."""
    sides, given_sides = (torch.nn.functional.normalize(each.positions, dim=1) for each in (cameras, given))
    return (sides @ given_sides.T).argmax(dim=1)
