"""A mesh as splats, so that a part of it can be changed: flat discs on its surface, in its colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.assets.export.ply import sh0_from_rgb, write_splat_ply
from engine.assets.export.splat_cloud import AXES_COMMENT, to_file
from engine.assets.meshes.mesh_shape import ReferenceShape, triangle_areas
from engine.errors import InputError

COUNT = 8000
WIDTH = 0.5  # standard deviation of a disc, in distances between neighbours
THICKNESS = 0.15  # of a disc, in its width
OPACITY, INSET = 0.25, 0.012
"""Renderers blur by a part of a pixel: opaque discs on the surface itself would look swollen (17.6 dB from
pictures of a chair of 64 pixels; so they are at 24.8).
"""


def write_mesh_as_splats(shape: ReferenceShape, path: Path, count: int = COUNT, recipe: str = "") -> None:
    """Write a splat PLY of ``count`` discs, evenly over the surface of a mesh in the canonical pose.

    ``recipe`` says how they came to be.
    Raises InputError for a mesh without faces or without area, StorageError.
    """
    areas = (
        triangle_areas(shape.vertices.astype(np.float64), shape.faces) if len(shape.faces) else np.zeros(0)
    )
    if not areas.sum() > 0:
        raise InputError("The mesh has no faces.", "Choose a mesh with a surface.")
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.choice(len(areas), count, p=areas / areas.sum()))
    corners = shape.vertices[shape.faces[chosen]].astype(np.float64)
    means = (_shares(rng, count)[..., None] * corners).sum(1)
    width = WIDTH * np.sqrt(areas.sum() / count)
    scales = np.tile([width, width, THICKNESS * width], (count, 1))
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    means = means - INSET * normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
    means, quats = to_file(means, facing(normals))
    parts = (means, scales, quats, np.full(count, OPACITY), sh0_from_rgb(shape.face_colours[chosen]))
    write_splat_ply(
        path, *(np.asarray(part, np.float32) for part in parts), comments=[AXES_COMMENT], recipe=recipe
    )


def _shares(rng: np.random.Generator, count: int) -> np.ndarray:
    """Even barycentric coordinates (N,3)."""
    u, v = np.sqrt(rng.random(count)), rng.random(count)
    return np.stack([1 - u, u * (1 - v), u * v], axis=1)


def facing(normals: np.ndarray) -> np.ndarray:
    """Unit quaternions (N,4), w x y z, that turn +z to ``normals`` (N,3) of any length; a zero one is not
    turned.
    """
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    x, y, z = (normals / np.maximum(length, 1e-20)).T
    # half-way between both, which fails only where they are opposite
    quats = np.stack([1 + z, -y, x, 0 * z], axis=1)
    quats[z < -1 + 1e-9] = (0, 1, 0, 0)
    return quats / np.linalg.norm(quats, axis=1, keepdims=True)
