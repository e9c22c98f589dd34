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
"""Alpha, and occupancy, below which nothing is there."""

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
    cell = 2.0 / (resolution - 1)
    _look(
        _nearest_of_four(depths), alphas, projections, MARGIN, cell, cell * corner - 1.0, unclear, low, free
    )
    return low, free


def _nearest_of_four(depths: np.ndarray) -> np.ndarray:
    """The least depth (V,H-1,W-1) of each pixel, its right and lower neighbours; `NOTHING` where all are
    empty.
    """
    filled = np.where(depths > 0, depths, NOTHING).astype(np.float32)
    rows = np.minimum(filled[:, 1:], filled[:, :-1])
    return np.minimum(rows[:, :, 1:], rows[:, :, :-1])


@numba.njit(**OPTIONS)
def _look(nearest, alphas, projections, margin, cell, start, unclear, low, free):
    """Along a line of voxels the homogeneous pixel coordinates grow by one step."""
    views, height, width = alphas.shape
    first_pixel = np.empty((views, 3))
    for i in range(low.shape[0]):
        for j in range(low.shape[1]):
            if not unclear[i, j].any():
                continue
            for v in range(views):
                for axis in range(3):
                    row = projections[v, axis]
                    at = row[0] * (cell * i + start[0]) + row[1] * (cell * j + start[1])
                    first_pixel[v, axis] = at + row[2] * start[2] + row[3]
            for k in range(low.shape[2]):
                if not unclear[i, j, k]:
                    continue
                first, second, count = 1.0, 1.0, 0
                for v in range(views):
                    z = first_pixel[v, 2] + k * cell * projections[v, 2, 2]
                    inverse = 1 / z
                    u = (first_pixel[v, 0] + k * cell * projections[v, 0, 2]) * inverse - 0.5
                    w = (first_pixel[v, 1] + k * cell * projections[v, 1, 2]) * inverse - 0.5
                    alpha, surface = 0.0, NOTHING
                    if 0 <= u < width - 1 and 0 <= w < height - 1:
                        a, b = int(u), int(w)
                        right, down = u - a, w - b
                        upper = (1 - right) * alphas[v, b, a] + right * alphas[v, b, a + 1]
                        lower = (1 - right) * alphas[v, b + 1, a] + right * alphas[v, b + 1, a + 1]
                        alpha, surface = (1 - down) * upper + down * lower, nearest[v, b, a]
                    if surface > z + margin:
                        count += 1
                    if alpha < first:
                        first, second = alpha, first
                    elif alpha < second:
                        second = alpha
                    if second < EMPTY:  # beside the object in two pictures: free beyond doubt
                        break
                low[i, j, k] = second
                free[i, j, k] = count
