"""Carved occupancy: how solid a scene of splats is, without what nobody can see from outside.

Splats leave caves under their skin and shells inside. Pictures from all round say what is outside: a point
that two of them see past their silhouettes, or three of them see in front of the surface, is free, and so is
what can be reached from outside through openings wider than a few voxels. All else is inside, and solid.
"""

from __future__ import annotations

import numba
import numpy as np
from scipy import ndimage

from engine.core.cameras import Cameras, orbit_cameras
from engine.core.morphology import grown, pieces_of
from engine.render.splats_surface import OPTIONS, surface_depths
from engine.scene.splats import Splats

VIEWS, PICTURE_SIZE = 32, 96
MARGIN = 0.03
"""How far in front of the surface a point must lie to be seen as free, where the object fills the unit
sphere.
"""

FREE_VIEWS = 3
EMPTY = 0.02
"""Occupancy below which nothing is there."""

GAP_VOXELS = 2
"""Openings up to twice as wide do not let the outside in."""

THIN, FULL_LEVELS = 0.2, 2.0
"""Occupancy below which the outside may flow, and from which on, in levels of the surface, a point counts as
wholly solid.
"""

NOTHING = 1e9
"""Depth where there is no surface."""

BLUR_VOXELS, THIN_BLUR_VOXELS = 0.8, 0.4
THIN_VOXELS = 2
"""Half the width up to which a part is thin: the usual blur would take it away."""

LEVEL, SURFACE_LEVEL = 0.5, 0.485
"""Alpha from which a picture shows the object, and where the surface is laid. Of the levels from 0.3 to 0.65
in steps of 0.05, 0.45 was the one whose silhouettes match the pictures best in 12 scenes of 12, so none is
searched for, which takes a quarter of a second. There lit pictures lose half a decibel beside the truth, and
0.1 at 0.485, where outlines agree with the pictures by 0.98.
"""
BORDER_VOXELS = 2 * GAP_VOXELS + 2
"""Of what is kept round the box in which something is."""


def sphere_cameras(count: int, size: int, fov_deg: float, distance: float) -> Cameras:
    """Cameras evenly on a sphere: a Fibonacci lattice."""
    height = 1 - 2 * (np.arange(count) + 0.5) / count
    azimuths = (np.arange(count) * 180 * (3 - 5**0.5)) % 360
    elevations = np.clip(np.degrees(np.arcsin(height)), -89, 89)
    return orbit_cameras(azimuths.tolist(), elevations.tolist(), distance, fov_deg, size)


def carved(scene: Splats, occupancy: np.ndarray, level: float, fov_deg: float, distance: float) -> np.ndarray:
    """Solidity (R,R,R) whose surface lies at `SURFACE_LEVEL`, from ``occupancy`` (R,R,R) over [-1, 1]^3 with
    its surface at ``level``.
    """
    cameras = sphere_cameras(VIEWS, PICTURE_SIZE, fov_deg, distance)
    depths, alphas = surface_depths(scene, cameras)
    box = box_of(occupancy > min(EMPTY, level), BORDER_VOXELS)
    within = occupancy[box]
    outside = reached(within > min(THIN, level))
    unclear = ~(outside & (within < min(EMPTY, level)))
    corner = np.array([part.start for part in box])
    low, free = visible_from_outside(depths, alphas, cameras, len(occupancy), unclear, corner)
    inside = ~((free >= FREE_VIEWS) | (low < LEVEL) | outside)
    solid = np.where(inside, np.float32(1), np.clip(within / np.float32(FULL_LEVELS * level), 0, 1))
    result = np.zeros_like(occupancy, np.float32)
    result[box] = blurred(np.minimum(solid, low))
    return result


def blurred(solid: np.ndarray) -> np.ndarray:
    """Solidity (X,Y,Z) without the steps of its grid, less so where it is thin."""
    smooth = ndimage.gaussian_filter(solid, BLUR_VOXELS)
    thin = thin_parts(solid > LEVEL)
    if not thin.any():
        return smooth
    sharp = ndimage.gaussian_filter(solid, THIN_BLUR_VOXELS)
    return np.where(grown(thin, 1), np.maximum(smooth, sharp), smooth)


def box_of(mask: np.ndarray, border: int) -> tuple[slice, ...]:
    """The part of a grid (R,R,R) in which a mask is True, and ``border`` voxels round it; all of it where
    there is nothing.
    """
    if not mask.any():
        return tuple(slice(0, size) for size in mask.shape)
    spans = [np.flatnonzero(mask.any(axis=tuple(b for b in range(3) if b != axis))) for axis in range(3)]
    return tuple(
        slice(max(0, span[0] - border), min(size, span[-1] + 1 + border))
        for span, size in zip(spans, mask.shape, strict=True)
    )


def thin_parts(inside: np.ndarray) -> np.ndarray:
    """What of a solid (X,Y,Z) bool is at most `THIN_VOXELS` voxels from its surface on both sides."""
    return inside & ~grown(~grown(~inside, THIN_VOXELS), THIN_VOXELS + 1)


def reached(solid: np.ndarray, gap: int = GAP_VOXELS) -> np.ndarray:
    """What of the free space (R,R,R) bool can be reached from outside through openings wider than ``2 gap``
    voxels.
    """
    open_space = ~grown(solid, gap)
    labels, _ = pieces_of(np.pad(open_space, 1, constant_values=True))
    outside = (labels == labels[0, 0, 0])[1:-1, 1:-1, 1:-1]
    return grown(outside, gap) & ~solid


def visible_from_outside(
    depths: np.ndarray,
    alphas: np.ndarray,
    cameras: Cameras,
    resolution: int,
    unclear: np.ndarray,
    corner: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """For each voxel of a box (X,Y,Z) the second lowest alpha over the views, and how many views see it in
    front of their surface.

    The box begins at index ``corner`` (3,) of a grid with ``resolution`` nodes a side. Voxels that are not
    ``unclear`` (X,Y,Z) are not looked at: 1 and 0.
    """
    w2c = np.linalg.inv(cameras.c2w.cpu().double().numpy())[:, :3]
    projections = cameras.K.cpu().double().numpy() @ w2c
    low, free = np.ones(unclear.shape, np.float32), np.zeros(unclear.shape, np.int16)
    rim = ((0, 0), (1, 1), (1, 1))
    surfaces = np.pad(np.where(depths > 0, depths, NOTHING), rim, constant_values=NOTHING)
    cell = 2.0 / (resolution - 1)
    start = cell * corner - 1.0
    _look(_nearest_of_four(surfaces), np.pad(alphas, rim), projections, cell, start, unclear, low, free)
    return low, free


def _nearest_of_four(depths: np.ndarray) -> np.ndarray:
    """The least depth (V,H-1,W-1) float32 of each pixel, its right and its lower neighbours."""
    rows = np.minimum(depths[:, 1:], depths[:, :-1])
    return np.minimum(rows[:, :, 1:], rows[:, :, :-1]).astype(np.float32)


@numba.njit(**OPTIONS)
def _look(nearest, alphas, projections, cell, start, unclear, low, free):
    """One line of voxels after the other, and of each line one view after the other."""
    length = low.shape[2]
    index, counts = np.empty(length, np.int32), np.empty(length, np.int16)
    first, second = np.empty(length, np.float32), np.empty(length, np.float32)
    point, pixel = np.empty(3), np.empty(3, np.float32)
    point[2] = start[2]
    for i in range(low.shape[0]):
        for j in range(low.shape[1]):
            there = 0
            for k in range(length):
                if unclear[i, j, k]:
                    index[there], first[there], second[there], counts[there] = k, 1, 1, 0
                    there += 1
            if there == 0:
                continue
            point[0], point[1] = cell * i + start[0], cell * j + start[1]
            for v in range(len(alphas)):
                P = projections[v]
                for axis in range(3):
                    value = P[axis, 0] * point[0] + P[axis, 1] * point[1] + P[axis, 2] * point[2] + P[axis, 3]
                    pixel[axis] = value
                step = np.float32(cell * P[0, 2]), np.float32(cell * P[1, 2]), np.float32(cell * P[2, 2])
                _look_once(nearest[v], alphas[v], pixel, step, index, there, first, second, counts)
            for at in range(there):
                low[i, j, index[at]], free[i, j, index[at]] = second[at], counts[at]


@numba.njit(**OPTIONS)
def _look_once(nearest, alphas, pixel, step, index, there, first, second, counts):
    """What one view says of the voxels ``index`` (``there`` of them) of a line: without branches, in single
    precision.

    Homogeneous coordinates begin at ``pixel`` (3,) and grow by ``step`` each. Pictures have an empty rim, to
    which what lies beside them is moved; so their first pixel is that with index 1.
    """
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    right, bottom = np.float32(alphas.shape[1] - 1.001), np.float32(alphas.shape[0] - 1.001)
    x, y, z = pixel
    dx, dy, dz = step
    margin = np.float32(MARGIN)
    for at in range(there):
        k = np.float32(index[at])
        depth = z + k * dz
        inverse = one / depth
        u = min(max((x + k * dx) * inverse + half, zero), right)
        w = min(max((y + k * dy) * inverse + half, zero), bottom)
        a, b = np.int32(u), np.int32(w)
        across, down = u - np.float32(a), w - np.float32(b)
        upper = alphas[b, a] + across * (alphas[b, a + 1] - alphas[b, a])
        lower = alphas[b + 1, a] + across * (alphas[b + 1, a + 1] - alphas[b + 1, a])
        alpha = upper + down * (lower - upper)
        counts[at] += np.int16(1) if nearest[b, a] > depth + margin else np.int16(0)
        second[at] = min(second[at], max(first[at], alpha))
        first[at] = min(first[at], alpha)
