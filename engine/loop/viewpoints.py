"""Where a run looks from."""

from __future__ import annotations

import torch

from engine.core.cameras import Cameras, orbit_cameras
from engine.prior.base import PriorInfo

DRAFT_ELEVATIONS_DEG = (10.0, 25.0)
ORBIT_ELEVATION_DEG = 15.0  # of a draft by priors that know one height at a time


def draft_cameras(info: PriorInfo, count: int, size: int, front_deg: float = 0.0) -> Cameras:
    """``count`` cameras all round, from the front on, at two heights in turn, so that tops and sides are both
    seen.

    Priors that were taught whole orbits get such orbits, one after the other, all at one height; those that
    draw fixed views get these, whatever ``count`` is.
    """
    if info.fixed_views:
        azimuths, elevations = zip(*info.fixed_views, strict=True)
    else:
        heights = (ORBIT_ELEVATION_DEG,) if info.orbit_views else DRAFT_ELEVATIONS_DEG
        azimuths, elevations = (
            _azimuths_deg(info, count, 0.0),
            [heights[i % len(heights)] for i in range(count)],
        )
    return orbit_cameras(
        [front_deg + azimuth for azimuth in azimuths], elevations, info.distance, info.fov_deg, size
    )


def cameras_beside(given: Cameras, info: PriorInfo, count: int, size: int) -> Cameras:
    """Those of ``count`` draft cameras, the first at the azimuth of the first given one, for which no given
    one stands in.

    There is always one at least: the furthest from the given ones. Priors that know whole sets of views only
    get a whole one.
    """
    taken = given.azimuths_deg()
    if info.orbit_views or info.fixed_views:
        return draft_cameras(info, count, size, float(taken[0]))
    azimuths = [float(taken[0]) + azimuth for azimuth in _azimuths_deg(info, count, 0.0)]
    gaps = [float(((azimuth - taken + 180) % 360 - 180).abs().min()) for azimuth in azimuths]
    least = min(180 / count, max(gaps))
    chosen = [i for i in range(count) if gaps[i] >= least]
    elevations = [DRAFT_ELEVATIONS_DEG[i % len(DRAFT_ELEVATIONS_DEG)] for i in chosen]
    return orbit_cameras([azimuths[i] for i in chosen], elevations, info.distance, info.fov_deg, size)


def draft_count(info: PriorInfo, wanted: int) -> int:
    """How many views of one object a draft has: as many as asked for, but no more than the prior knows to
    draw together.
    """
    if info.fixed_views:
        return len(info.fixed_views)
    return min(wanted, info.orbit_views) if info.orbit_views else wanted


def random_cameras(info: PriorInfo, count: int, size: int, rng: torch.Generator) -> Cameras:
    """``count`` cameras evenly spaced in azimuth from a random start, within the prior's elevations.

    Priors that see all views at once get one elevation for all (as they were trained), others one each. Those
    that were taught whole orbits get whole ones, each at a height of its own: ``count`` is rounded up.
    """
    low, high = info.elevation_range_deg
    count = -(-count // info.orbit_views) * info.orbit_views if info.orbit_views else count
    together = info.orbit_views or (count if info.joint_views else 1)
    start, *heights = torch.rand(count + 1, generator=rng).tolist()
    elevations = [low + (high - low) * heights[i - i % together] for i in range(count)]
    return orbit_cameras(_azimuths_deg(info, count, start), elevations, info.distance, info.fov_deg, size)


def _azimuths_deg(info: PriorInfo, count: int, start: float) -> list[float]:
    """Evenly round from ``start`` (in turns): all views, or each orbit by itself and the orbits evenly
    between each other.
    """
    orbit = info.orbit_views or count
    orbits = -(-count // orbit)
    return [360.0 * (start + (i % orbit / orbit + i // orbit / (orbit * orbits))) for i in range(count)]
