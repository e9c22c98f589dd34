"""Where a run looks from."""

from __future__ import annotations

import torch

from engine.math.cameras import Cameras, orbit_cameras
from engine.prior.base import PriorInfo

DRAFT_ELEVATIONS_DEG = (10.0, 25.0)


def draft_cameras(info: PriorInfo, count: int, size: int) -> Cameras:
    """``count`` cameras all round, from the front on, at two heights in turn, so that tops and sides are both seen."""
    azimuths = [360.0 * i / count for i in range(count)]
    elevations = [DRAFT_ELEVATIONS_DEG[i % 2] for i in range(count)]
    return orbit_cameras(azimuths, elevations, info.distance, info.fov_deg, size)


def random_cameras(info: PriorInfo, count: int, size: int, rng: torch.Generator) -> Cameras:
    """``count`` cameras evenly spaced in azimuth from a random start, within the prior's elevations.

    Priors that see all views at once get one elevation for all (as they were trained), others one each.
    """
    low, high = info.elevation_range_deg
    start, *heights = torch.rand(count + 1, generator=rng).tolist()
    elevations = [low + (high - low) * (heights[0] if info.joint_views else h) for h in heights]
    azimuths = [360.0 * (start + i / count) for i in range(count)]
    return orbit_cameras(azimuths, elevations, info.distance, info.fov_deg, size)
