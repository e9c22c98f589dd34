"""Scenes as volumes: how solid each point of a grid over the cube [-1, 1]^3 is, and of what colour."""

from __future__ import annotations

import numba
import numpy as np
import torch

from engine.render.splats_surface import OPTIONS
from engine.scene import splats
from engine.scene.base import Scene
from engine.scene.field import Field, node_positions
from engine.scene.splats import Splats

REACH = 3.0  # standard deviations beyond which a splat is nothing
SMALLEST_VOXELS = 0.35
"""Standard deviation added to every splat, in squares: else thin sheets between nodes would be nothing."""


def occupancy_grid(scene: Scene, resolution: int) -> np.ndarray:
    """Solidity (R,R,R) in 0..1 at the nodes of a grid, indexed [x,y,z].

    A splat of opacity o is o exp(-d^2 / 2) solid at Mahalanobis distance d, and splats add up as layers do: 1
    - prod(1 - o_i). A field is as solid as what light loses along one voxel of its own grid.
    """
    with torch.no_grad():
        if isinstance(scene, Field):
            nodes = node_positions(resolution).to(scene.raw_density.device)
            density, _ = scene.query(nodes.reshape(-1, 3))
            return -torch.expm1(-density * scene.voxel).reshape(nodes.shape[:3]).cpu().numpy()
        assert isinstance(scene, Splats), "a canvas fills no volume"
        return _splat_grid(scene, resolution)


def colours_at(scene: Scene, points: np.ndarray) -> np.ndarray:
    """Colours (N,3) in 0..1 inside a scene, at ``points`` (N,3): of splats the mean by how solid each is
    there; black where there are none.
    """
    with torch.no_grad():
        if isinstance(scene, Field):
            there = torch.from_numpy(points).to(scene.raw_density)
            return scene.query(there)[1].cpu().numpy()
        assert isinstance(scene, Splats), "a canvas fills no volume"
        means, precisions, _, opacities = _gaussians(scene, 0.0)
        rgb = scene.rgb.detach().cpu().float().numpy()
    colours = np.zeros((len(points), 3), np.float32)
    _mix(np.ascontiguousarray(points, np.float32), means, precisions, opacities, rgb, colours)
    return colours


def _splat_grid(scene: Splats, resolution: int) -> np.ndarray:
    clear = np.ones((resolution,) * 3, np.float32)
    _add_splats(*_gaussians(scene, SMALLEST_VOXELS * 2 / (resolution - 1)), clear)
    return 1 - clear


def _gaussians(scene: Splats, blur: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Means (N,3), inverse covariances (N,3,3), reach along each axis (N,3) and opacities (N,), with ``blur``
    added as a standard deviation.
    """
    added = (blur**2 + 1e-10) * torch.eye(3, dtype=torch.float64)
    covariances = splats.covariances(scene).cpu().double() + added
    precisions = torch.linalg.inv(covariances).numpy()
    extents = (REACH * covariances.diagonal(dim1=1, dim2=2).sqrt()).float().numpy()
    means, opacities = (part.detach().cpu().float().numpy() for part in (scene.means, scene.opacities))
    return means, precisions, extents, opacities


@numba.njit(**OPTIONS)
def _add_splats(means, precisions, extents, opacities, clear):  # numba reads no annotations
    """Layer every splat (N) over the nodes that it reaches: what is left ``clear`` (R,R,R).

    Along a line of nodes a Gaussian's ratio from one to the next changes by the same factor each time.
    """
    resolution = len(clear)
    cell = 2.0 / (resolution - 1)
    low, high = np.zeros(3, np.int64), np.zeros(3, np.int64)
    for n in range(len(means)):
        P, opacity = precisions[n], opacities[n]
        for axis in range(3):
            low[axis] = max(0, int(np.ceil((means[n, axis] - extents[n, axis] + 1) / cell)))
            high[axis] = min(resolution - 1, int(np.floor((means[n, axis] + extents[n, axis] + 1) / cell)))
        change = np.exp(-P[2, 2] * cell * cell)
        for i in range(low[0], high[0] + 1):
            x = i * cell - 1 - means[n, 0]
            for j in range(low[1], high[1] + 1):
                y = j * cell - 1 - means[n, 1]
                slope = P[0, 2] * x + P[1, 2] * y
                nearest = -slope / P[2, 2]
                least = P[0, 0] * x * x + 2 * P[0, 1] * x * y + P[1, 1] * y * y - P[2, 2] * nearest * nearest
                if least >= REACH * REACH:
                    continue
                half = np.sqrt((REACH * REACH - least) / P[2, 2])
                middle = (means[n, 2] + nearest + 1) / cell
                first = max(low[2], int(np.ceil(middle - half / cell)))
                last = min(high[2], int(np.floor(middle + half / cell)))
                away = (first - middle) * cell
                solid = opacity * np.exp(-0.5 * (least + P[2, 2] * away * away))
                ratio = np.exp(-0.5 * P[2, 2] * cell * (2 * away + cell))
                for k in range(first, last + 1):
                    clear[i, j, k] *= 1 - min(solid, 0.99)
                    solid *= ratio
                    ratio *= change


@numba.njit(**OPTIONS)
def _mix(points, means, precisions, opacities, rgb, colours):
    """The mean colour of the splats at each point, by their solidity there."""
    for m in range(len(points)):
        weight, red, green, blue = 1e-8, 0.0, 0.0, 0.0
        for n in range(len(means)):
            x, y, z = points[m, 0] - means[n, 0], points[m, 1] - means[n, 1], points[m, 2] - means[n, 2]
            P = precisions[n]
            across = x * (P[0, 0] * x + 2 * P[0, 1] * y) + P[1, 1] * y * y
            distance2 = across + z * (2 * (P[0, 2] * x + P[1, 2] * y) + P[2, 2] * z)
            if distance2 < REACH * REACH:
                solid = opacities[n] * np.exp(-0.5 * distance2)
                weight += solid
                red, green, blue = (
                    red + solid * rgb[n, 0],
                    green + solid * rgb[n, 1],
                    blue + solid * rgb[n, 2],
                )
        colours[m, 0], colours[m, 1], colours[m, 2] = red / weight, green / weight, blue / weight
