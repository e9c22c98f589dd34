"""What holds for every prior of a family that is shown a picture: for its loader, and before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHOWN: Mapping[str, Any] = {"takes_cameras": True, "takes_images": True, "needs_images": True, "has_vae": True}
ZERO123: Mapping[str, Any] = {**SHOWN, "reads_words": False}
IMAGEDREAM: Mapping[str, Any] = {**SHOWN, "joint_views": True}


def six_views(elevations_deg: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """Zero123++'s views: azimuth beside the picture's and elevation of each, which alternates between two."""
    return tuple((30.0 + 60.0 * i, elevations_deg[i % 2]) for i in range(6))


ZERO123PLUS: Mapping[str, Mapping[str, Any]] = {
    version: {**ZERO123, "joint_views": True, "fixed_views": six_views(elevations_deg)}
    for version, elevations_deg in {"v1.1": (30.0, -20.0), "v1.2": (20.0, -10.0)}.items()
}
"""By version: the heights are other ones."""
