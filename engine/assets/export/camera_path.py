"""Camera paths: where a film looks from, in time, through keyframes that a person set.

As JSON: ``[{"azimuth_deg": 0, "elevation_deg": 15, "distance": 3.05}, ...]``, evenly in time, or each with a
``time``. Azimuths are not wrapped: from 0 to 720 is two turns. What a keyframe leaves out stays as it was
before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from engine.errors import InputError

TURN_ELEVATION_DEG = 18.0
BOUNDS = {
    "azimuth_deg": (-36_000, 36_000),
    "elevation_deg": (-89, 89),
    "distance": (0.5, 50),
    "time": (0, 86_400),
}
MOST_KEYFRAMES = 200


@dataclass(frozen=True)
class Viewpoint:
    """Where one picture is taken from: degrees, and a distance from the middle in units of the world."""

    azimuth_deg: float
    elevation_deg: float
    distance: float


def viewpoints(path: str, frames: int, distance: float) -> list[Viewpoint]:
    """``frames`` viewpoints along ``path``; along one even turn at ``distance`` where it is empty.

    Between keyframes a cubic runs that never overshoots (PCHIP, Fritsch & Carlson 1980). Raises `InputError`
    for what is no path.
    """
    if not path.strip():
        return [Viewpoint(360.0 * i / frames, TURN_ELEVATION_DEG, distance) for i in range(frames)]
    rows = _keyframes(path, distance)
    times = rows[:, 3]
    along = PchipInterpolator(times, rows[:, :3])(np.linspace(times[0], times[-1], frames))
    return [Viewpoint(*map(float, row)) for row in along]


def _keyframes(path: str, distance: float) -> np.ndarray:
    """Rows (K,4) of azimuth, elevation, distance and time."""
    try:
        given = json.loads(path)
    except (ValueError, RecursionError) as error:
        raise _wrong(f"it is no JSON ({error})") from error
    if (
        not isinstance(given, list)
        or not 2 <= len(given) <= MOST_KEYFRAMES
        or not all(isinstance(key, dict) for key in given)
    ):
        raise _wrong(f"it must be a list of 2 to {MOST_KEYFRAMES} keyframes")
    rows = _filled(given, {"azimuth_deg": 0.0, "elevation_deg": TURN_ELEVATION_DEG, "distance": distance})
    if not (np.diff(rows[:, 3]) > 0).all():
        raise _wrong("its times must rise from keyframe to keyframe")
    return rows


def _filled(given: Sequence[Mapping[str, Any]], before: dict[str, float]) -> np.ndarray:
    rows = []
    for number, key in enumerate(given):
        if unknown := set(key) - set(BOUNDS):
            raise _wrong(f"keyframe {number + 1} has {sorted(unknown)[0]!r}; allowed are {', '.join(BOUNDS)}")
        before = {
            **before,
            "time": float(number),
            **{name: _number(number, name, value) for name, value in key.items()},
        }
        rows.append([before[name] for name in BOUNDS])
    return np.array(rows)


def _number(number: int, name: str, value: Any) -> float:
    low, high = BOUNDS[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise _wrong(f"{name} of keyframe {number + 1} is {value!r}; {low} to {high} are allowed")
    return float(value)


def _wrong(why: str) -> InputError:
    remedy = (
        'Write for example [{"azimuth_deg": 0, "elevation_deg": 10}, {"azimuth_deg": 360, '
        '"elevation_deg": 40}].'
    )
    return InputError(f"The camera path cannot be used: {why}.", remedy)
