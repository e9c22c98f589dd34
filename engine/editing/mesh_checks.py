"""What a mesh must have so that it can be painted, and what a person should know of it."""

from __future__ import annotations

import numpy as np
import psutil
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from engine.assets.meshes.mesh_shape import ReferenceShape, triangle_areas
from engine.errors import InputError

FILL, SHARE = 0.7, 0.8
"""How much of a texture lies on the mesh, at most, and how much of the free memory it may take."""

TEXEL_BYTES = 200
"""At the peak, of each texel in each view: where it falls, and how squarely it is seen, in double
precision.
"""

CELLS = 1e5  # vertices nearer than 1 / CELLS are one: files split them along seams of their texture


def check_mesh(shape: ReferenceShape) -> None:
    """Raises InputError for a mesh that has no surface."""
    if len(shape.faces) == 0:
        raise InputError(
            "The mesh has no faces.",
            "Choose a mesh with a surface; splats are painted after they became one.",
        )
    if not triangle_areas(shape.vertices.astype(np.float64), shape.faces).sum() > 0:
        raise InputError(
            "The mesh has no area: all its faces are lines or points.", "Choose a mesh with a surface."
        )


def free_memory() -> int:
    """Bytes of main memory, where textures lie, that are free."""
    return psutil.virtual_memory().available


def check_room(texture_size: int, views: int) -> None:
    """Raises InputError for a texture that would take more memory than is free."""
    needed, free = FILL * texture_size**2 * views * TEXEL_BYTES, free_memory()
    if needed <= SHARE * free:
        return
    fits = int((SHARE * free / (FILL * views * TEXEL_BYTES)) ** 0.5) // 64 * 64
    raise InputError(
        f"A texture of {texture_size} texels a side, seen by {views} views, takes about {needed / 1e9:.0f} "
        "GB of memory, "
        f"and {free / 1e9:.1f} GB are free.",
        f"Set texture_size to {max(fits, 64)} or less, or take fewer views.",
    )


def mesh_notes(shape: ReferenceShape) -> tuple[str, ...]:
    """What is done with a mesh that has more than one part."""
    parts = count_parts(shape.vertices, shape.faces)
    return (
        (f"It has {parts} parts that are not connected; they are painted as one thing.",) if parts > 1 else ()
    )


def count_parts(vertices: np.ndarray, faces: np.ndarray) -> int:
    """How many pieces of surface touch no other one; vertices (N,3) that lie at one place are one."""
    index = joined_vertices(vertices, faces)
    a, b, c = index[faces].T
    edges = coo_matrix(
        (np.ones(2 * len(a)), (np.concatenate([a, b]), np.concatenate([b, c]))), [len(vertices)] * 2
    )
    return len(np.unique(connected_components(edges, directed=False)[1][np.unique(a)]))


def joined_vertices(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """A number for the place of each vertex (N,), the same for those of ``faces`` that lie at one place."""
    used, index = np.unique(faces), np.zeros(len(vertices), np.int64)
    places = np.round(vertices[used] * CELLS).astype(np.int64)
    index[used] = np.unique(places, axis=0, return_inverse=True)[1].ravel()
    return index
