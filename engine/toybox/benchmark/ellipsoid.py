"""What one outline and its colours give without a prior: an ellipsoid that fills it, painted with the picture
from both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import trimesh

from engine.core.camera import intrinsics, orbit_c2w
from engine.prior.toybox.info import DISTANCE, FOV_DEG, RESOLUTION
from engine.render.mesh_numba import render_mesh


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """A mesh: ``vertices`` (N,3), ``faces`` (M,3), ``face_colours`` (M,3) in 0..1."""

    vertices: np.ndarray
    faces: np.ndarray
    face_colours: np.ndarray

    def pictures(self, azimuths_deg: Sequence[float], elevations_deg: Sequence[float]) -> np.ndarray:
        """From canonical cameras: (V,64,64,4) premultiplied RGBA."""
        poses = np.stack(
            [orbit_c2w(a, e, DISTANCE) for a, e in zip(azimuths_deg, elevations_deg, strict=True)]
        )
        K = np.broadcast_to(intrinsics(FOV_DEG, RESOLUTION, RESOLUTION), (len(poses), 3, 3))
        return render_mesh(
            self.vertices, self.faces, self.face_colours, poses, K, RESOLUTION, RESOLUTION
        ).rgba


def painted_ellipsoid(rgba: np.ndarray, azimuth_deg: float, elevation_deg: float) -> Ellipsoid:
    """As wide and high as the outline in a picture (S,S,4) from a canonical camera, and as deep as the mean
    of both.

    Each face has the colour that the picture shows there; what lies behind has that of the front.
    """
    size = len(rgba)
    rows, columns = np.nonzero(rgba[..., 3] > 0.5)
    low, high = np.array([columns.min(), rows.min()]), np.array([columns.max(), rows.max()]) + 1
    pixel = 2 * np.tan(np.deg2rad(FOV_DEG / 2)) * DISTANCE / size  # at the distance of the object
    middle, half = ((low + high) / 2 - size / 2) * pixel, (high - low) / 2 * pixel
    sphere = trimesh.creation.icosphere(subdivisions=4)
    local = sphere.vertices * [half[0], half[1], half.mean()] + [middle[0], middle[1], DISTANCE]
    c2w = orbit_c2w(azimuth_deg, elevation_deg, DISTANCE)
    faces = np.asarray(sphere.faces)
    return Ellipsoid(local @ c2w[:3, :3].T + c2w[:3, 3], faces, _painted(rgba, local[faces].mean(1)))


def _painted(rgba: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The picture's colour (M,3) at the image of points (M,3) in the camera's axes; its mean colour where it
    shows nothing.
    """
    size = len(rgba)
    uv = (points @ intrinsics(FOV_DEG, size, size).T)[:, :2] / points[:, 2:]
    column, row = np.clip(uv, 0, size - 1).astype(int).T
    solid = rgba[..., 3] > 0.5
    mean = rgba[solid][:, :3].mean(0)
    straight = rgba[..., :3] / np.maximum(rgba[..., 3:], 1e-6)
    return np.where(solid[row, column][:, None], np.clip(straight[row, column], 0, 1), mean)
