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
from engine.core.morphology import dilated, pieces_of
from engine.render.splats_surface import OPTIONS, surface_depths
from engine.scene.splats import Splats

VIEWS, PICTURE_SIZE = 32, 96
MARGIN = 0.03
"""How far in front of the surface a point must lie to be seen as free, where the object fills the unit
sphere.
"""

FREE_VIEWS = 3
EMPTY = 0.02
"""Alpha below which nothing is there."""

GAP_VOXELS = 2
"""Openings up to twice as wide do not let the outside in."""

THIN, FULL_LEVELS = 0.2, 2.0
"""Occupancy below which the outside may flow, and from which on, in levels of the surface, a point counts as
wholly solid.
"""

NOTHING = 1e9
"""Depth where there is no surface."""

BLUR_VOXELS = 0.8
LEVEL = 0.5


def sphere_cameras(count: int, size: int, fov_deg: float, distance: float) -> Cameras:
    """Cameras evenly on a sphere: a Fibonacci lattice."""
    height = 1 - 2 * (np.arange(count) + 0.5) / count
    azimuths = (np.arange(count) * 180 * (3 - 5**0.5)) % 360
    elevations = np.clip(np.degrees(np.arcsin(height)), -89, 89)
    return orbit_cameras(azimuths.tolist(), elevations.tolist(), distance, fov_deg, size)


def carved(scene: Splats, occupancy: np.ndarray, level: float, fov_deg: float, distance: float) -> np.ndarray:
    """Solidity (R,R,R) whose surface lies at `LEVEL`, from ``occupancy`` (R,R,R) over [-1, 1]^3 with its
    surface at ``level``.
    """
    cameras = sphere_cameras(VIEWS, PICTURE_SIZE, fov_deg, distance)
    low, free = visible_from_outside(*surface_depths(scene, cameras), cameras, len(occupancy))
    removed = (free >= FREE_VIEWS) | (low < LEVEL)
    inside = ~(removed | reached(occupancy > min(THIN, level)))
    solid = np.where(inside, 1.0, np.clip(occupancy / (FULL_LEVELS * level), 0, 1))
    return ndimage.gaussian_filter(np.minimum(solid, low).astype(np.float32), BLUR_VOXELS)


def reached(solid: np.ndarray, gap: int = GAP_VOXELS) -> np.ndarray:
    """What of the free space (R,R,R) bool can be reached from outside through openings wider than ``2 gap``
    voxels.
    """
    open_space = ~dilated(solid, iterations=gap)
    labels, _ = pieces_of(np.pad(open_space, 1, constant_values=True))
    outside = (labels == labels[0, 0, 0])[1:-1, 1:-1, 1:-1]
    return dilated(outside, iterations=gap) & ~solid


def visible_from_outside(
    depths: np.ndarray, alphas: np.ndarray, cameras: Cameras, resolution: int
) -> tuple[np.ndarray, np.ndarray]:
    """For each voxel (R,R,R) the second lowest alpha over the views, and how many views see it in front of
    their surface.
    """
    w2c = np.linalg.inv(cameras.c2w.cpu().double().numpy())[:, :3]
    projections = cameras.K.cpu().double().numpy() @ w2c
    low = np.empty((resolution,) * 3, np.float32)
    free = np.empty((resolution,) * 3, np.int16)
    _look(_nearest_of_four(depths), alphas, projections, MARGIN, low, free)
    return low, free


def _nearest_of_four(depths: np.ndarray) -> np.ndarray:
    """The least depth (V,H-1,W-1) of each pixel, its right and lower neighbours; `NOTHING` where all are
    empty.
    """
    filled = np.where(depths > 0, depths, NOTHING).astype(np.float32)
    rows = np.minimum(filled[:, 1:], filled[:, :-1])
    return np.minimum(rows[:, :, 1:], rows[:, :, :-1])


@numba.njit(**OPTIONS)
def _look(nearest, alphas, projections, margin, low, free):
    """Along a line of voxels the homogeneous pixel coordinates grow by one step."""
    views, height, width = alphas.shape
    size = len(low)
    cell = 2.0 / (size - 1)
    first_pixel = np.empty((views, 3))
    for i in range(size):
        for j in range(size):
            for v in range(views):
                for axis in range(3):
                    row = projections[v, axis]
                    first_pixel[v, axis] = row[0] * (cell * i - 1) + row[1] * (cell * j - 1) - row[2] + row[3]
            for k in range(size):
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
