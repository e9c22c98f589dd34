"""Points on the outside of a mesh. Toy objects are assembled from closed pieces that overlap: what lies inside is not shape."""

from __future__ import annotations

import numpy as np

from engine.core.camera import intrinsics, orbit_c2w
from engine.prior.toybox.geometry import DISTANCE, FOV_DEG
from engine.render.mesh_numba import render_mesh

SIDE = 128
DIRECTIONS_DEG = tuple((45.0 * i, e) for e in (-50.0, 0.0, 50.0) for i in range(8)) + ((0.0, 90.0), (0.0, -90.0))
TOLERANCE = 0.03


def outside_points(vertices: np.ndarray, faces: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """``count`` points (N,3), even by area, of what can be seen of a mesh from one of 26 sides; fewer if little can."""
    points = _on_faces(np.asarray(vertices, np.float64), faces, 4 * count, np.random.default_rng(seed))
    return points[_visible(points, vertices, faces)][:count]


def _on_faces(vertices: np.ndarray, faces: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    chosen = rng.choice(len(faces), count, p=area / area.sum())
    root, along = np.sqrt(rng.random((count, 1))), rng.random((count, 1))
    return (1 - root) * a[chosen] + root * (1 - along) * b[chosen] + root * along * c[chosen]


def _visible(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Whether each point (N,3) is, up to ``TOLERANCE``, the nearest thing in its pixel of some side's depth map."""
    poses = np.stack([orbit_c2w(azimuth, elevation, DISTANCE) for azimuth, elevation in DIRECTIONS_DEG])
    K = np.broadcast_to(intrinsics(FOV_DEG, SIDE, SIDE), (len(poses), 3, 3))
    depth = render_mesh(vertices, faces, np.ones((len(faces), 3)), poses, K, SIDE, SIDE, supersample=1).depth
    seen = np.zeros(len(points), bool)
    for pose, k, nearest in zip(poses, K, depth):
        local = (points - pose[:3, 3]) @ pose[:3, :3]
        column, row = np.clip((local @ k.T)[:, :2] / local[:, 2:], 0, SIDE - 1).astype(int).T
        surface = nearest[row, column]
        seen |= (surface > 0) & (local[:, 2] <= surface + TOLERANCE)
    return seen
