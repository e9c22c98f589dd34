"""Meshes under three lamps, all of one matt grey, so that only shape and normals tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.core.camera import intrinsics, orbit_c2w
from engine.core.morphology import pieces_of
from engine.prior.toybox.info import DISTANCE, FOV_DEG
from engine.render.mesh_numba import Shading, render_mesh

SIDE = 160
AZIMUTHS_DEG = tuple(45.0 * i + 10 for i in range(8))
ELEVATIONS_DEG = (15.0, 45.0, -20.0)
"""In turn round the object: no height is a draft's own."""

VIEWS_DEG = tuple((azimuth, ELEVATIONS_DEG[i % 3]) for i, azimuth in enumerate(AZIMUTHS_DEG))
"""Azimuth and elevation of each view."""

LAMPS = (((0.5, 0.6, 0.62), 0.55), ((0.4, -0.8, 0.3), 0.3), ((-0.85, 0.2, 0.4), 0.3))
"""Directions in the world, and how bright."""

AMBIENT, GREY = 0.18, 0.8
FLAT = Shading(1.0, 0.0)
SMALLEST_HOLE = 12
"""Pixels of a silhouette's hole that counts."""

SURVIVING = 0.5
"""Share of a true hole through which one must still see."""


@dataclass(frozen=True, eq=False)
class LitViews:
    """V views: ``rgb`` (V,S,S,3) over white, ``alpha`` and ``depth`` (V,S,S)."""

    rgb: np.ndarray
    alpha: np.ndarray
    depth: np.ndarray


def lit_views(vertices: np.ndarray, faces: np.ndarray, corner_normals: np.ndarray) -> LitViews:
    """A mesh (vertices (N,3), faces (F,3)) with a unit normal at each corner of each face (F,3,3)."""
    poses = np.stack([orbit_c2w(azimuth, elevation, DISTANCE) for azimuth, elevation in VIEWS_DEG])
    K = np.broadcast_to(intrinsics(FOV_DEG, SIDE, SIDE), (len(poses), 3, 3))
    buffers = render_mesh(vertices, faces, (corner_normals + 1) / 2, poses, K, SIDE, SIDE, shading=FLAT)
    alpha = buffers.rgba[..., 3]
    normal = 2 * buffers.rgba[..., :3] / np.maximum(alpha, 1e-6)[..., None] - 1
    light = np.full(alpha.shape, AMBIENT)
    for direction, brightness in LAMPS:
        unit = np.asarray(direction) / np.linalg.norm(direction)
        light += brightness * np.clip(
            normal @ unit / np.maximum(np.linalg.norm(normal, axis=-1), 1e-6), 0, None
        )
    grey = np.clip(GREY * light, 0, 1) * alpha + 1 - alpha
    return LitViews(np.repeat(grey[..., None], 3, axis=-1), alpha, buffers.depth)


def surviving_holes(alpha: np.ndarray, truth: np.ndarray) -> tuple[int, int]:
    """Of the holes that true silhouettes (V,H,W) have, how many one still sees through in ``alpha``, and how
    many there are.
    """
    kept = total = 0
    for outline, true in zip(alpha, truth, strict=True):
        labels, count = pieces_of(true < 0.5)
        rim = {
            int(label)
            for line in (labels[0], labels[-1], labels[:, 0], labels[:, -1])
            for label in np.unique(line)
        }
        for hole in (labels == label for label in range(1, count + 1) if label not in rim):
            if hole.sum() >= SMALLEST_HOLE:
                total += 1
                kept += bool((outline[hole] < 0.5).mean() >= SURVIVING)
    return kept, total
