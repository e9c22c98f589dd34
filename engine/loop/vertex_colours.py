"""Colours for a surface, taken from pictures of the scene it came from: what is exported looks like what was on the screen."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.loop.frames import device_of, shown
from engine.loop.messages import SceneCopy
from engine.loop.visual_hull import project
from engine.render import choose

PICTURE_SIZE = 256
RINGS_DEG = (-50.0, -15.0, 20.0, 55.0)  # elevations of the cameras; eight azimuths each, and one camera over either pole
DEPTH_TOLERANCE = 0.06  # how far behind the picture's surface a point may lie and still count as seen
FACING_POWER = 3  # how much more a view from the front counts than one from the side


def colour_cameras(fov_deg: float, distance: float) -> Cameras:
    """Cameras that between them see every side."""
    azimuths = [45.0 * i for _ in RINGS_DEG for i in range(8)] + [0.0, 0.0]
    elevations = [ring for ring in RINGS_DEG for _ in range(8)] + [89.0, -89.0]
    return orbit_cameras(azimuths, elevations, distance, fov_deg, PICTURE_SIZE)


def colours_from_views(copy: SceneCopy, points: np.ndarray, normals: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """Colours (N,3) in 0..1 at surface ``points`` (N,3) with outward ``normals`` (N,3).

    The mean over all views that see a point, weighted by how squarely they do; ``fallback`` (N,3) where none does.
    """
    where = [torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)) for array in (points, normals)]
    total, weights = torch.zeros(len(points), 3), torch.full((len(points), 1), 1e-6)
    cameras, device = colour_cameras(copy.fov_deg, copy.distance), device_of(copy)
    scene = shown(copy, copy.distance / float(cameras.K[0, 1, 1]))
    render = choose(scene, copy.backend).render
    for i in range(len(cameras)):
        with torch.no_grad():
            seen = render(scene, cameras[i : i + 1].to(device), None)
        rgb, weight = _look(seen, cameras[i : i + 1], *where)
        total, weights = total + weight * rgb, weights + weight
    unseen = weights < 1e-3
    return torch.where(unseen, torch.from_numpy(fallback.astype(np.float32)), total / weights).clamp(0, 1).numpy()


def _look(views: Views, camera: Cameras, points: Tensor, normals: Tensor) -> tuple[Tensor, Tensor]:
    """Colour (N,3) and weight (N,1) of each point in one picture."""
    uv = project(camera, points)[0].long()
    size = views.rgb.shape[1]
    inside = ((uv >= 0) & (uv < size)).all(dim=1, keepdim=True)
    column, row = uv.clamp(0, size - 1).unbind(1)
    rgb, alpha, depth = (part[0].cpu()[row, column] for part in (views.rgb, views.alpha, views.depth))
    towards = camera.positions - points
    distance = (points - camera.positions) @ camera.c2w[0, :3, 2:3]
    facing = (normals * towards).sum(1, keepdim=True) / towards.norm(dim=1, keepdim=True)
    visible = inside & (alpha > 0.5) & (distance < depth / alpha.clamp(min=1e-3) + DEPTH_TOLERANCE)
    return rgb / alpha.clamp(min=1e-3), visible * facing.clamp(min=0) ** FACING_POWER
