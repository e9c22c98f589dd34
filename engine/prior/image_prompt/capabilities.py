"""What holds for every prior of a family that is shown a picture: for its loader, and before it is loaded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

SHOWN: Mapping[str, Any] = {
    "takes_cameras": True,
    "takes_images": True,
    "needs_images": True,
    "has_vae": True,
}
ZERO123: Mapping[str, Any] = {**SHOWN, "reads_words": False}
IMAGEDREAM: Mapping[str, Any] = {**SHOWN, "joint_views": True}


def six_views(elevations_deg: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """Zero123++'s views: azimuth beside the picture's and elevation of each, which alternates between two."""
    return tuple((30.0 + 60.0 * i, elevations_deg[i % 2]) for i in range(6))


def _six_view_traits(elevations_deg: tuple[float, float], fov_deg: float) -> Mapping[str, Any]:
    """The camera stands where the unit sphere just fits into the picture."""
    cameras = {"fov_deg": fov_deg, "distance": 1 / math.sin(math.radians(fov_deg / 2))}
    return {**ZERO123, "joint_views": True, "fixed_views": six_views(elevations_deg), **cameras}


ZERO123PLUS: Mapping[str, Mapping[str, Any]] = {
    "v1.1": _six_view_traits((30.0, -20.0), fov_deg=2 * math.degrees(math.atan(16 / 35))),
    "v1.2": _six_view_traits((20.0, -10.0), fov_deg=30.0),
}
"""By version: other heights, and another lens. v1.1 has Zero-1-to-3's of 16 / 35, 49.13 degrees (its author
in issue 68 of SUDO-AI-3D/zero123plus, which corrects what was said in its issue 39); v1.2's is in its README.
"""
