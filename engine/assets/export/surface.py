"""From a density to a mesh: marching cubes, tidying, decimation.

The surface level is chosen by a rule when none is given. Where a blurred step separates inside from outside,
the steepest places lie on the step, so the mean density weighted by the square of its slope,

    level = sum |grad f|^2 f / sum |grad f|^2,

lies half way up (after the "simple image statistic" of Kittler, Illingworth and Foglein, 1985, which weights
by |grad f|; the square leans less towards the outer, larger shells of a wide step).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import fast_simplification
import numpy as np
from scipy import sparse
from skimage.measure import marching_cubes

from engine.errors import InputError

DensityAt = Callable[[np.ndarray], np.ndarray]
"""Densities (N,) at points (N,3) of the world."""

BLOCK_POINTS = 1 << 18
COLLAPSE_HASTE = (7.0, 5.0, 3.0)
"""How boldly edges are collapsed: the library's own pace first, slower ones where that would tear a closed
mesh.
"""

COLLAPSE_SHARES = (1.0, 0.985, 0.97)
"""Of the faces that were asked for: another count takes another way, where none tears."""


@dataclass(frozen=True)
class SurfaceOptions:
    """How a mesh is made: grid points a side over [-1,1]^3, ``level`` (None: by the rule), keep only the
    largest piece, Taubin smoothing rounds, and the most faces it may have (0: all).
    """

    resolution: int = 96
    level: float | None = None
    largest_only: bool = True
    smoothing: int = 3
    max_faces: int = 30_000


@dataclass(frozen=True, eq=False)
class Surface:
    """A mesh with outward faces: ``vertices`` (N,3) float64 in the world, ``faces`` (F,3) int64, and the
    level it lies at.
    """

    vertices: np.ndarray
    faces: np.ndarray
    level: float


def extract_surface(density_at: DensityAt, options: SurfaceOptions = SurfaceOptions()) -> Surface:
    """Mesh of the places in [-1,1]^3 where the density exceeds the level; closed where it meets the cube.

    Raises `InputError` if the density is not finite, or never crosses the level.
    """
    if options.resolution < 4:
        raise InputError(
            f"The surface grid has {options.resolution} points a side; at least 4 are needed.",
            "Use about 96.",
        )
    return surface_of_grid(sample_grid(density_at, options.resolution), options)


def surface_of_grid(density: np.ndarray, options: SurfaceOptions = SurfaceOptions()) -> Surface:
    """The same of finite densities (R,R,R), indexed x, y, z, at points from -1 to 1; ``options.resolution``
    is not read.
    """
    level = automatic_level(density) if options.level is None else float(options.level)
    if not density.min() < level < density.max():
        what = (
            f"There is no surface at level {level:.3g}: densities lie between {density.min():.3g} and "
            f"{density.max():.3g}."
        )
        raise InputError(what, "Choose a level between them, or refine the shape first.")
    vertices, faces = _march(density, level)
    if options.largest_only:
        vertices, faces = largest_piece(vertices, faces)
    vertices = smooth(vertices, faces, options.smoothing)
    if 0 < options.max_faces < len(faces):
        vertices, faces = simplify(vertices, faces, options.max_faces)
    return Surface(vertices, faces, level)


def sample_grid(density_at: DensityAt, resolution: int) -> np.ndarray:
    """Densities (R,R,R), indexed x, y, z, at points from -1 to 1; asked for in blocks. Raises `InputError` if
    not finite.
    """
    axis = np.linspace(-1.0, 1.0, resolution, dtype=np.float32)
    density = np.empty(resolution**3, np.float32)
    for start in range(0, len(density), BLOCK_POINTS):
        index = np.arange(start, min(start + BLOCK_POINTS, len(density)))
        points = axis[np.stack(np.unravel_index(index, (resolution,) * 3), axis=1)]
        density[index] = density_at(points)
    if not np.isfinite(density).all():
        raise InputError(
            "The density is not finite everywhere.", "Go back to the last good snapshot and export that."
        )
    return density.reshape((resolution,) * 3)


def automatic_level(density: np.ndarray) -> float:
    """The rule above; for a constant density that constant, at which there is no surface."""
    steepness = np.sum([slope.astype(np.float64) ** 2 for slope in np.gradient(density)], axis=0)
    total = float(steepness.sum())
    return float((steepness * density).sum() / total) if total > 0 else float(density.flat[0])


def _march(density: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Vertices in the world and outward faces; a border below the level closes the surface at the cube's
    sides.
    """
    border = min(float(density.min()), 2 * level - float(density.max()))
    padded = np.pad(density, 1, constant_values=border)
    spacing = 2.0 / (len(density) - 1)
    vertices, faces, _, _ = marching_cubes(padded, level, spacing=(spacing,) * 3, gradient_direction="ascent")
    return np.clip(vertices.astype(np.float64) - 1.0 - spacing, -1.0, 1.0), faces.astype(np.int64)


def largest_piece(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The connected part with the largest area, its unused vertices dropped."""
    _, piece = sparse.csgraph.connected_components(_adjacency(len(vertices), faces), directed=False)
    owner = piece[faces[:, 0]]
    return _compact(vertices, faces[owner == np.bincount(owner, weights=_areas(vertices, faces)).argmax()])


def _areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)


def _compact(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    used, renumbered = np.unique(faces, return_inverse=True)
    return vertices[used], renumbered.reshape(faces.shape)


def _adjacency(n_vertices: int, faces: np.ndarray) -> Any:
    """(N,N) with 1 where two vertices share an edge."""
    start, end = faces[:, [0, 1, 2]].ravel(), faces[:, [1, 2, 0]].ravel()
    both = sparse.coo_matrix(
        (np.ones(2 * len(start)), (np.r_[start, end], np.r_[end, start])), (n_vertices, n_vertices)
    ).tocsr()
    both.data[:] = 1.0
    return both


def smooth(
    vertices: np.ndarray, faces: np.ndarray, rounds: int, shrink: float = 0.5, grow: float = -0.53
) -> np.ndarray:
    """Taubin's low-pass filter (1995): a step to the neighbours' mean, then a longer one back, which keeps
    the volume.
    """
    neighbours = _adjacency(len(vertices), faces)
    count = np.maximum(np.asarray(neighbours.sum(axis=1)), 1.0)
    for step in (shrink, grow) * rounds:
        vertices = vertices + step * (neighbours @ vertices / count - vertices)
    return vertices


def simplify(vertices: np.ndarray, faces: np.ndarray, max_faces: int) -> tuple[np.ndarray, np.ndarray]:
    """Collapse edges (Garland & Heckbert 1997) to ``max_faces``, or a little fewer.

    A closed mesh stays closed and keeps its handles: where that cannot be had it gets twice as many faces,
    and so on.
    """
    closed = is_watertight(faces)
    original: tuple[Any, Any] = vertices.astype(np.float32), faces.astype(np.int32)
    characteristic = euler_characteristic(faces)
    while max_faces < len(faces):
        for share in COLLAPSE_SHARES:
            for haste in COLLAPSE_HASTE:
                simplified: Any = fast_simplification.simplify(
                    *original, target_count=int(share * max_faces), agg=haste
                )
                points, triangles = simplified
                sound = (
                    len(triangles)
                    and is_watertight(triangles)
                    and euler_characteristic(triangles) == characteristic
                )
                if len(triangles) <= max_faces and (sound or (len(triangles) and not closed)):
                    return _compact(points.astype(np.float64), triangles.astype(np.int64))
        max_faces *= 2
    return vertices, faces


def euler_characteristic(faces: np.ndarray) -> int:
    """V - E + F of the vertices that faces (F,3) of a closed mesh use."""
    return int(np.count_nonzero(np.bincount(faces.ravel()))) - len(faces) // 2


def is_watertight(faces: np.ndarray) -> bool:
    """Whether every edge is shared by exactly two faces that run through it in opposite directions."""
    start, end = faces[:, [0, 1, 2]].ravel().astype(np.int64), faces[:, [1, 2, 0]].ravel().astype(np.int64)
    count = int(faces.max()) + 1
    forward, backward = np.sort(start * count + end), np.sort(end * count + start)
    return bool((np.diff(forward) > 0).all() and np.array_equal(forward, backward))
