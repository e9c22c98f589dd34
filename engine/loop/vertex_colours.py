"""Colours for a surface, taken from pictures of the scene it came from: what is exported looks like what was
on the screen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
import torch

from engine.core.cameras import Cameras, orbit_cameras
from engine.loop.messages import SceneCopy
from engine.loop.shown_scene import device_of, shown
from engine.render import choose

PICTURE_SIZE, VERTEX_PICTURE_SIZE = 256, 160
"""For textures, and for vertices, which lie 0.03 apart: finer ones change no vertex by a hundredth."""

# elevations of the cameras; eight azimuths each, and one camera over either pole
RINGS_DEG = (
    -50.0,
    -15.0,
    20.0,
    55.0,
)
DEPTH_TOLERANCE = 0.06  # how far behind the picture's surface a point may lie and still count as seen
FACING_POWER = 3  # how much more a view from the front counts than one from the side
LEAST_WEIGHT = 1e-3


@dataclass(frozen=True, eq=False)
class ColourPictures:
    """V pictures from all sides: ``rgba`` (V,S,S,4) premultiplied, ``depth`` (V,S,S) weighted by alpha,
    ``cameras``.
    """

    rgba: np.ndarray
    depth: np.ndarray
    cameras: Cameras


def colour_cameras(fov_deg: float, distance: float, size: int = PICTURE_SIZE) -> Cameras:
    """Cameras that between them see every side."""
    azimuths = [45.0 * i for _ in RINGS_DEG for i in range(8)] + [0.0, 0.0]
    elevations = [ring for ring in RINGS_DEG for _ in range(8)] + [89.0, -89.0]
    return orbit_cameras(azimuths, elevations, distance, fov_deg, size)


def colour_pictures(copy: SceneCopy, size: int = PICTURE_SIZE) -> ColourPictures:
    """The scene from those cameras, one after the other."""
    cameras, device = colour_cameras(copy.fov_deg, copy.distance, size), device_of(copy)
    scene = shown(copy, copy.distance / float(cameras.K[0, 1, 1]))
    render = choose(scene, copy.backend).render
    rgba = np.empty((len(cameras), size, size, 4), np.float32)
    depth = np.empty(rgba.shape[:3], np.float32)
    for i in range(len(cameras)):
        with torch.no_grad():
            views = render(scene, cameras[i : i + 1].to(device), None)
        rgba[i] = views.rgba[0].cpu().numpy()
        depth[i] = views.depth[0, ..., 0].cpu().numpy()
    return ColourPictures(rgba, depth, cameras)


def colours_from_pictures(
    pictures: ColourPictures,
    points: np.ndarray,
    normals: np.ndarray,
    fallback: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Colours (N,3) in 0..1 at surface ``points`` (N,3) with outward ``normals`` (N,3).

    The mean over all views that see a point, weighted by how squarely they do; where none does,
    ``fallback``, given their indices (M,), says the colours (M,3).
    """
    cameras = pictures.cameras
    viewmats, K, eyes = (part.double().numpy() for part in (cameras.viewmats, cameras.K, cameras.positions))
    points, normals = (np.ascontiguousarray(part, np.float64) for part in (points, normals))
    colours, shown = np.zeros((len(points), 3), np.float32), np.zeros(len(points), bool)
    _gather(pictures.rgba, pictures.depth, viewmats, K, eyes, points, normals, colours, shown)
    hidden = np.flatnonzero(~shown)
    if len(hidden):
        colours[hidden] = fallback(hidden)
    return np.clip(colours, 0, 1)


@numba.njit(cache=True, nogil=True)
def _gather(rgba, depth, viewmats, K, eyes, points, normals, colours, shown):
    """The colour of each point that is seen, and which are."""
    views, size = depth.shape[:2]
    for n in range(len(points)):
        x, y, z = points[n]
        red = green = blue = total = 0.0
        for v in range(views):
            tx, ty, tz = eyes[v, 0] - x, eyes[v, 1] - y, eyes[v, 2] - z
            facing = normals[n, 0] * tx + normals[n, 1] * ty + normals[n, 2] * tz
            if facing <= 0:
                continue
            M = viewmats[v]
            along = M[2, 0] * x + M[2, 1] * y + M[2, 2] * z + M[2, 3]
            u = K[v, 0, 0] * (M[0, 0] * x + M[0, 1] * y + M[0, 2] * z + M[0, 3]) / along + K[v, 0, 2]
            w = K[v, 1, 1] * (M[1, 0] * x + M[1, 1] * y + M[1, 2] * z + M[1, 3]) / along + K[v, 1, 2]
            if along <= 0 or u < 0 or w < 0 or u >= size or w >= size:
                continue
            pixel = rgba[v, int(w), int(u)]
            alpha = pixel[3]
            if alpha <= 0.5 or along >= depth[v, int(w), int(u)] / alpha + DEPTH_TOLERANCE:
                continue
            weight = (facing / np.sqrt(tx * tx + ty * ty + tz * tz)) ** FACING_POWER
            total += weight
            weight /= alpha
            red, green, blue = red + weight * pixel[0], green + weight * pixel[1], blue + weight * pixel[2]
        if total >= LEAST_WEIGHT:
            colours[n, 0], colours[n, 1], colours[n, 2] = red / total, green / total, blue / total
            shown[n] = True
