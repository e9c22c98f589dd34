"""Cameras as the toybox network reads them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.core.camera import intrinsics
from engine.core.cameras import Cameras
from engine.prior.toybox.info import DISTANCE, FOV_DEG

GRID = 8
"""Side of a view's token grid."""


@dataclass(frozen=True, eq=False)
class Poses:
    """Cameras of B objects: ``c2w`` (B,V,4,4), ``rays`` (B,V,N,6) Pluecker, ``known`` (B,) bool; unknown ones
    are not read.
    """

    c2w: Tensor
    rays: Tensor
    known: Tensor


def pluecker(origins: Tensor, directions: Tensor) -> Tensor:
    """Rays (...,3) and (...,3) as moment and unit direction (...,6): the same for every point along the
    ray.
    """
    return torch.cat([torch.linalg.cross(origins, directions), directions], dim=-1)


def pose_numbers(c2w: Tensor) -> Tensor:
    """The sixteen numbers of each pose (...,4,4), with the position brought to about unit length."""
    scale = c2w.new_ones(4, 4)
    scale[:3, 3] = 1 / 3
    return (c2w * scale).flatten(-2)


def poses_from_cameras(cameras: Cameras) -> Poses:
    """The cameras of one object's V views, as a batch of one object."""
    rays = pluecker(*cameras.resized(GRID).rays()).flatten(1, 2)
    return Poses(cameras.c2w[None], rays[None], torch.ones(1, dtype=torch.bool, device=rays.device))


def unknown_poses(objects: int, views: int, device: torch.device | str) -> Poses:
    """Poses of ``objects`` objects whose cameras are not known."""
    c2w = torch.zeros(objects, views, 4, 4, device=device)
    rays = torch.zeros(objects, views, GRID * GRID, 6, device=device)
    return Poses(c2w, rays, torch.zeros(objects, dtype=torch.bool, device=device))


def orbit_poses(azimuth_deg: Tensor, elevation_deg: Tensor) -> Poses:
    """Canonical cameras at angles (B,V) in degrees; a batched twin of ``engine.core.camera.orbit_c2w``."""
    azimuth, elevation = torch.deg2rad(azimuth_deg), torch.deg2rad(elevation_deg)
    cos_a, sin_a, cos_e, sin_e, zero = (
        azimuth.cos(),
        azimuth.sin(),
        elevation.cos(),
        elevation.sin(),
        torch.zeros_like(azimuth),
    )
    outward = torch.stack([cos_e * cos_a, cos_e * sin_a, sin_e], -1)
    right = torch.stack([-sin_a, cos_a, zero], -1)
    down = torch.stack([sin_e * cos_a, sin_e * sin_a, -cos_e], -1)
    c2w = torch.zeros(*azimuth.shape, 4, 4, device=azimuth.device, dtype=azimuth.dtype)
    c2w[..., :3, :] = torch.stack([right, down, -outward, DISTANCE * outward], -1)
    c2w[..., 3, 3] = 1
    K = torch.from_numpy(intrinsics(FOV_DEG, GRID, GRID)).to(c2w).expand(azimuth.numel(), 3, 3)
    rays = pluecker(*Cameras(c2w.flatten(0, 1), K, GRID, GRID).rays())
    known = torch.ones(len(azimuth), dtype=torch.bool, device=azimuth.device)
    return Poses(c2w, rays.view(*azimuth.shape, GRID * GRID, 6), known)
