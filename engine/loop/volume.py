"""Scenes as volumes: how solid each point of a grid over the cube [-1, 1]^3 is, and of what colour."""

from __future__ import annotations

import numba
import numpy as np
import torch

from engine.scene import splats
from engine.scene.base import Scene
from engine.scene.field import Field, node_positions
from engine.scene.splats import Splats

REACH = 3.0  # standard deviations beyond which a splat is nothing


def occupancy_grid(scene: Scene, resolution: int) -> tuple[np.ndarray, np.ndarray]:
    """Solidity (R,R,R) in 0..1 and colour (R,R,R,3) in 0..1 at the nodes of a grid, indexed [x,y,z].

    A splat of opacity o is o exp(-d^2 / 2) solid at Mahalanobis distance d, and splats add up as layers do: 1
    - prod(1 - o_i). A field is as solid as what light loses along one voxel of its own grid.
    """
    with torch.no_grad():
        if isinstance(scene, Field):
            return _field_grid(scene, resolution)
        assert isinstance(scene, Splats), "a canvas fills no volume"
        return _splat_grid(scene, resolution)


def _field_grid(scene: Field, resolution: int) -> tuple[np.ndarray, np.ndarray]:
    nodes = node_positions(resolution).to(scene.raw_density.device)
    density, rgb = scene.query(nodes.reshape(-1, 3))
    solidity = -torch.expm1(-density * scene.voxel)
    return solidity.reshape(nodes.shape[:3]).cpu().numpy(), rgb.reshape(nodes.shape).cpu().numpy()


def _splat_grid(scene: splats.Splats, resolution: int) -> tuple[np.ndarray, np.ndarray]:
    covariances = splats.covariances(scene).cpu().double()
    precisions = torch.linalg.inv(covariances + 1e-10 * torch.eye(3, dtype=torch.float64)).float().numpy()
    extents = (REACH * covariances.diagonal(dim1=1, dim2=2).sqrt()).float().numpy()
    parts = [part.detach().cpu().float().numpy() for part in (scene.means, scene.opacities, scene.rgb)]
    return _add_splats(parts[0], precisions, extents, parts[1], parts[2], resolution)


@numba.njit(cache=True, nogil=True)
def _add_splats(means, precisions, extents, opacities, rgbs, resolution):  # numba reads no annotations
    """Layer every splat (N) over the nodes that it reaches."""
    clear = np.ones((resolution, resolution, resolution), np.float32)
    colour = np.zeros((resolution, resolution, resolution, 3), np.float32)
    weight = np.full((resolution, resolution, resolution), 1e-8, np.float32)
    cell = np.float32(2.0 / (resolution - 1))
    low, high, offset = np.zeros(3, np.int64), np.zeros(3, np.int64), np.zeros(3, np.float32)
    for n in range(len(means)):
        for axis in range(3):
            low[axis] = max(0, int(np.ceil((means[n, axis] - extents[n, axis] + 1) / cell)))
            high[axis] = min(resolution - 1, int(np.floor((means[n, axis] + extents[n, axis] + 1) / cell)))
        for i in range(low[0], high[0] + 1):
            offset[0] = i * cell - 1 - means[n, 0]
            for j in range(low[1], high[1] + 1):
                offset[1] = j * cell - 1 - means[n, 1]
                for k in range(low[2], high[2] + 1):
                    offset[2] = k * cell - 1 - means[n, 2]
                    distance2 = np.float32(0.0)
                    for a in range(3):
                        for b in range(3):
                            distance2 += offset[a] * precisions[n, a, b] * offset[b]
                    solid = opacities[n] * np.exp(np.float32(-0.5) * distance2)
                    clear[i, j, k] *= 1 - min(solid, np.float32(0.99))
                    weight[i, j, k] += solid
                    for a in range(3):
                        colour[i, j, k, a] += solid * rgbs[n, a]
    return 1 - clear, colour / weight.reshape(resolution, resolution, resolution, 1)
