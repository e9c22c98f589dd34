"""A camera that both halves of a stage look from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Orbit:
    """A camera that looks at the middle: degrees round it and above it, and how far away."""

    azimuth_deg: float
    elevation_deg: float
    distance: float


def orbit_of(position: np.ndarray, look_at: np.ndarray) -> Orbit | None:
    """The orbit of a camera at ``position`` (3,) that looks at ``look_at`` (3,), z up; None where these are
    one point.
    """
    x, y, z = (float(value) for value in np.asarray(position, np.float64) - np.asarray(look_at, np.float64))
    distance = float(np.sqrt(x * x + y * y + z * z))
    if not np.isfinite(distance) or distance < 1e-6:
        return None
    return Orbit(float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arcsin(z / distance))), distance)
