"""What can be seen of a mesh from outside. Toy objects are assembled from closed pieces that overlap: what
lies inside is not shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.core.camera import intrinsics, orbit_c2w
from engine.prior.toybox.info import DISTANCE, FOV_DEG
from engine.render.mesh_numba import render_mesh

SIDE = 128
DIRECTIONS_DEG = tuple((45.0 * i, e) for e in (-50.0, 0.0, 50.0) for i in range(8)) + (
    (0.0, 90.0),
    (0.0, -90.0),
)
TOLERANCE = 0.03

HIDDEN_SIDE, HIDDEN_VIEWS, HIDDEN_POINTS = 160, 64, 8_000
HIDDEN_TOLERANCE, STEEPEST = 0.008, 4.0
"""How deep below the nearest surface counts as hidden where one looks straight at it, and how slanted views
are allowed for.
"""


@dataclass(frozen=True, eq=False)
class SurfacePoints:
    """Points (N,3) of a mesh, even by area, with the face (N,) and the weights (N,3) of its corners at which
    each lies.
    """

    points: np.ndarray
    face: np.ndarray
    weights: np.ndarray

    def at(self, index: np.ndarray) -> SurfacePoints:
        """Those at an index."""
        return SurfacePoints(self.points[index], self.face[index], self.weights[index])


def outside_points(vertices: np.ndarray, faces: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """``count`` points (N,3), even by area, of what can be seen of a mesh from one of 26 sides; fewer if
    little can.
    """
    points = sample_surface(vertices, faces, 4 * count, seed).points
    return points[_visible(points, vertices, faces)][:count]


def sample_surface(vertices: np.ndarray, faces: np.ndarray, count: int, seed: int = 0) -> SurfacePoints:
    """``count`` points of a mesh (vertices (N,3), faces (F,3))."""
    vertices, rng = np.asarray(vertices, np.float64), np.random.default_rng(seed)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    chosen = rng.choice(len(faces), count, p=area / area.sum())
    root, along = np.sqrt(rng.random((count, 1))), rng.random((count, 1))
    weights = np.concatenate([1 - root, root * (1 - along), root * along], axis=1)
    points = np.sum([weights[:, k : k + 1] * corner[chosen] for k, corner in enumerate((a, b, c))], axis=0)
    return SurfacePoints(points, chosen, weights)


def visible_points(
    vertices: np.ndarray, faces: np.ndarray, count: int = HIDDEN_POINTS
) -> tuple[SurfacePoints, float]:
    """Points of a mesh that can be seen from one of 64 sides, and the share of its area that cannot.

    A point is seen where it is the nearest in its pixel, within a tolerance that grows as the surface slants.
    """
    sampled = sample_surface(vertices, faces, count)
    normals = np.cross(
        vertices[faces[:, 1]] - vertices[faces[:, 0]], vertices[faces[:, 2]] - vertices[faces[:, 0]]
    )
    normals = (normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30))[sampled.face]
    height = 1 - 2 * (np.arange(HIDDEN_VIEWS) + 0.5) / HIDDEN_VIEWS
    azimuths = np.arange(HIDDEN_VIEWS) * 180 * (3 - 5**0.5)
    poses = np.stack(
        [orbit_c2w(a, e, DISTANCE) for a, e in zip(azimuths, np.degrees(np.arcsin(height)), strict=True)]
    )
    visible = np.zeros(count, bool)
    for pose, (local, surface, K) in zip(
        poses, _depths_at(sampled.points, vertices, faces, poses, HIDDEN_SIDE)
    ):
        towards = pose[:3, 3] - sampled.points
        facing = (normals * towards).sum(1) / np.linalg.norm(towards, axis=1)
        slope = np.minimum(np.sqrt(np.maximum(1 - facing**2, 0)) / np.maximum(facing, 1e-3), STEEPEST)
        tolerance = HIDDEN_TOLERANCE + slope * local[:, 2] / K[0, 0]
        visible |= (facing > 0) & (surface > 0) & (local[:, 2] <= surface + tolerance)
    return sampled.at(visible), 1 - float(visible.mean())


def _visible(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Whether each point (N,3) is, up to ``TOLERANCE``, the nearest thing in its pixel of some side's depth
    map.
    """
    poses = np.stack([orbit_c2w(azimuth, elevation, DISTANCE) for azimuth, elevation in DIRECTIONS_DEG])
    visible = np.zeros(len(points), bool)
    for local, surface, _ in _depths_at(points, vertices, faces, poses, SIDE):
        visible |= (surface > 0) & (local[:, 2] <= surface + TOLERANCE)
    return visible


def _depths_at(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray, poses: np.ndarray, side: int):
    """For each camera the points (N,3) in its axes, the depth (N,) of the surface in their pixels, 0 where
    none is, and K.
    """
    K = np.broadcast_to(intrinsics(FOV_DEG, side, side), (len(poses), 3, 3))
    depth = render_mesh(vertices, faces, np.ones((len(faces), 3)), poses, K, side, side, supersample=1).depth
    for pose, k, nearest in zip(poses, K, depth):
        local = (points - pose[:3, 3]) @ pose[:3, :3]
        column, row = np.clip((local @ k.T)[:, :2] / local[:, 2:], 0, side - 1).astype(int).T
        yield local, nearest[row, column], k
