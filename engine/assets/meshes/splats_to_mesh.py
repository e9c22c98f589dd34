"""Small solid bodies in place of splats and points, so that maps and masks can be drawn of them like of any
mesh.

A Gaussian's alpha along its axis is half at r standard deviations with o exp(-r^2 / 2) = 1/2; single splats
that faint are seen through others beside them, so the body ends where a quarter is left. Flat ones become two
triangles, others an octahedron.

Splats of foreign files in our axes: files do not say which way is up, so that is judged as for a reference.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.assets.export.ply import read_recipe
from engine.assets.export.splat_cloud import AXES_COMMENT, SplatCloud, rgb_from_sh0, turned
from engine.assets.meshes.canonical_pose import FRONTS, find_up, frame
from engine.assets.meshes.mesh_shape import RawMesh
from engine.errors import FileFormatError, InputError

MAX_BODIES = 60_000
FAINT = 0.1
"""Opacity under which a splat is left out: mist, which has no surface."""

EDGE_ALPHA = 0.25
FLAT = 0.25
"""A splat is flat if its shortest axis is less than this share of its middle one."""

STRAY_RADII = 3.0
"""Splats further out than this many radii of nine in ten are strays."""

_AXES = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], np.float64)
_OCTAHEDRON = np.array(
    [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]]
)
_SQUARE = np.array([[0, 1, 2], [2, 3, 0]])


def bodies_of_splats(cloud: SplatCloud) -> RawMesh:
    """A mesh of the cloud's visible splats. Raises `FileFormatError` if there is none."""
    visible = (cloud.opacities > FAINT) & np.isfinite(cloud.means).all(1)
    near = visible.copy()
    near[visible] = ~strays(cloud.means[visible])
    kept, wider = _thinned(np.flatnonzero(near))
    if not len(kept):
        raise FileFormatError("It holds no splat that can be seen.", "Choose a file of a finished result.")
    reach = np.sqrt(2 * np.log(np.maximum(cloud.opacities[kept] / EDGE_ALPHA, 1.2))) * wider
    axes = _rotations(cloud.quats[kept]) * (cloud.scales[kept] * reach[:, None])[:, None, :]
    vertices, faces, owner = _bodies(cloud.means[kept].astype(np.float64), axes)
    colours = np.clip(rgb_from_sh0(cloud.sh0[kept]), 0, 1)[owner]
    return RawMesh(
        vertices, faces, colours, up="-y", splats=True, notes=(*cloud.notes, *_notes(visible, near, kept))
    )


def bodies_of_points(points: np.ndarray, colours: np.ndarray) -> RawMesh:
    """A mesh of octahedra at points (N,3) with display colours (N,3), each as large as the gap to its
    neighbours.
    """
    points, colours = points[np.isfinite(points).all(1)], colours[np.isfinite(points).all(1)]
    if len(points) < 4:
        raise FileFormatError("It holds too few points to make a shape of.", "Choose a model with a surface.")
    kept, _ = _thinned(np.arange(len(points)))
    points = points[kept].astype(np.float64)
    from scipy.spatial import KDTree  # slow to import

    gaps = KDTree(points).query(points, k=min(5, len(points)))[0][:, -1]
    size = np.clip(gaps, 0, 3 * np.median(gaps)) * 0.7
    vertices, faces, owner = _bodies(points, np.eye(3)[None] * size[:, None, None])
    return RawMesh(
        vertices,
        faces,
        colours[kept][owner],
        splats=True,
        notes=("It is a cloud of points; each became a small body.",),
    )


def strays(points: np.ndarray) -> np.ndarray:
    """Which of the points (N,3) lie far from all others."""
    if not len(points):
        return np.zeros(0, bool)
    distance = np.linalg.norm(points - np.median(points, 0), axis=1)
    return distance > STRAY_RADII * np.quantile(distance, 0.9) + 1e-12


def _notes(visible: np.ndarray, near: np.ndarray, kept: np.ndarray) -> tuple[str, ...]:
    lost, thinned = int(visible.sum() - near.sum()), len(kept) < near.sum()
    notes = [f"{lost:,} stray splats far outside were left out."] if lost else []
    return (
        *notes,
        *(
            (f"Of {int(near.sum()):,} splats every so many was drawn larger, {len(kept):,} in all.",)
            if thinned
            else ()
        ),
    )


def _thinned(rows: np.ndarray) -> tuple[np.ndarray, float]:
    """At most ``MAX_BODIES`` of the rows, and how much wider each must be to cover for the others."""
    if len(rows) <= MAX_BODIES:
        return rows, 1.0
    picked = np.random.default_rng(0).choice(rows, MAX_BODIES, replace=False)
    return np.sort(picked), float(min(3.0, np.sqrt(len(rows) / MAX_BODIES)))


def _bodies(centres: np.ndarray, axes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, faces and each face's owner of N bodies with half axes ``axes`` (N,3,3), in columns."""
    lengths = np.linalg.norm(axes, axis=1)
    order = np.argsort(lengths, axis=1)
    rows = np.arange(len(axes))
    flat = lengths[rows, order[:, 0]] < FLAT * lengths[rows, order[:, 1]]
    solid = np.flatnonzero(~flat)
    # about as large as the ellipsoid
    tips = centres[solid, None] + np.einsum("nij,kj->nki", axes[solid], 1.2 * _AXES)
    long, wide = (axes[rows, :, order[:, k]][flat] for k in (2, 1))
    # a square of the ellipse's area
    corners = np.stack([-long - wide, long - wide, long + wide, wide - long], 1) * 0.886
    squares = centres[flat][:, None] + corners
    faces = (np.arange(len(solid))[:, None, None] * 6 + _OCTAHEDRON).reshape(-1, 3)
    more = (np.arange(int(flat.sum()))[:, None, None] * 4 + _SQUARE).reshape(-1, 3) + 6 * len(solid)
    owner = np.concatenate([np.repeat(solid, 8), np.repeat(np.flatnonzero(flat), 2)])
    return np.concatenate([tips.reshape(-1, 3), squares.reshape(-1, 3)]), np.concatenate([faces, more]), owner


def _rotations(quats: np.ndarray) -> np.ndarray:
    """Matrices (N,3,3) of unit quaternions (N,4) wxyz."""
    w, x, y, z = quats.astype(np.float64).T
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y), 2 * (x * y + w * z),
        1 - 2 * (x * x + z * z),
            2 * (y * z - w * x), 2 * (x * z - w * y), 2 * (y * z + w * x),
                1 - 2 * (x * x + y * y)]  # fmt: skip
    return np.stack(rows, 1).reshape(-1, 3, 3)


def is_ours(path: Path | str, cloud: SplatCloud) -> bool:
    """Whether a splat file that was read as ``cloud`` comes from Maquette: then its axes are known."""
    if AXES_COMMENT in cloud.comments:
        return True
    try:
        read_recipe(path)
    except InputError:
        return False
    return True


def upright(cloud: SplatCloud) -> SplatCloud:
    """``cloud`` turned about the origin so that what is most likely up (`find_up`) is +z; a note says which
    axis that was.

    A cloud of which nothing can be seen stays as it is.
    """
    try:
        up, confidence = find_up(bodies_of_splats(cloud))
    except InputError:
        return cloud
    from scipy.spatial.transform import Rotation  # slow to import

    matrix = frame(up, FRONTS[up])
    means, quats = turned(
        cloud.means, cloud.quats, matrix, np.roll(Rotation.from_matrix(matrix).as_quat(), 1)
    )
    note = f"The start file does not say which way is up; {up} was taken ({confidence:.0%} sure)."
    return replace(cloud, means=means, quats=quats, notes=(*cloud.notes, note))
