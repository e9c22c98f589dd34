"""Pictures of toybox objects: where the cameras of a training object stand, and what they see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.core.camera import intrinsics, orbit_c2w
from engine.prior.toybox.info import DISTANCE, FOV_DEG, RESOLUTION
from engine.render.mesh_numba import MeshBuffers, render_mesh
from engine.toybox.objects import ToyObject

VIEWS = 8
"""Views of one training object: two groups of four orthogonal azimuths."""


def draw_views(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Azimuths and elevations (8,) in degrees, float32: each group of four is orthogonal with a random
    offset.

    The first group shares one elevation in -10..40, as the prior is asked when it samples a draft; in the
    second each view has its own in -30..80.
    """
    quarter = 90.0 * np.arange(VIEWS // 2)
    offsets = rng.uniform(0.0, 360.0, 2)
    azimuth_deg = np.concatenate([offsets[0] + quarter, offsets[1] + quarter]) % 360.0
    level = np.full(VIEWS // 2, rng.uniform(-10.0, 40.0))
    elevation_deg = np.concatenate([level, rng.uniform(-30.0, 80.0, VIEWS // 2)])
    return azimuth_deg.astype(np.float32), elevation_deg.astype(np.float32)


def render_object(
    obj: ToyObject,
    azimuth_deg: Sequence[float] | np.ndarray,
    elevation_deg: Sequence[float] | np.ndarray,
    resolution: int = RESOLUTION,
) -> MeshBuffers:
    """See an object through canonical cameras at B azimuths and elevations in degrees; square pictures."""
    poses = [orbit_c2w(float(a), float(e), DISTANCE) for a, e in zip(azimuth_deg, elevation_deg, strict=True)]
    K = np.broadcast_to(intrinsics(FOV_DEG, resolution, resolution), (len(poses), 3, 3))
    mesh = obj.mesh
    return render_mesh(
        mesh.vertices, mesh.faces, mesh.face_colours, np.stack(poses), K, resolution, resolution
    )


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Numbers in 0..1 to uint8, rounded."""
    return (np.clip(values, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def on_white(rgba: np.ndarray) -> np.ndarray:
    """Premultiplied RGBA (...,4) in 0..1 to uint8 RGB (...,3) over white."""
    return to_bytes(rgba[..., :3] + 1.0 - rgba[..., 3:])
