"""A batch of cameras, in torch: what renderers and priors take. Conventions: ``engine.core.camera``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.core.camera import Camera, intrinsics, orbit_c2w
from engine.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Cameras:
    """B cameras of one image size: ``c2w`` (B,4,4) OpenCV axes, ``K`` (B,3,3) in pixels, ``width`` x
    ``height``.
    """

    c2w: Tensor
    K: Tensor
    width: int
    height: int

    def __post_init__(self) -> None:
        assert self.c2w.ndim == 3 and self.c2w.shape[1:] == (4, 4), self.c2w.shape
        assert self.K.shape == (len(self.c2w), 3, 3), self.K.shape

    def __len__(self) -> int:
        return len(self.c2w)

    def __getitem__(self, index: slice | Tensor | Sequence[int]) -> Cameras:
        """The cameras at a slice, a list or an index tensor."""
        return Cameras(self.c2w[index], self.K[index], self.width, self.height)

    @property
    def viewmats(self) -> Tensor:
        """World to camera (B,4,4): the inverse of ``c2w``."""
        rotation = self.c2w[:, :3, :3].transpose(1, 2)
        top = torch.cat([rotation, -rotation @ self.c2w[:, :3, 3:]], dim=2)
        return torch.cat([top, self.c2w[:, 3:]], dim=1)

    @property
    def positions(self) -> Tensor:
        """Centres of projection (B,3) in the world."""
        return self.c2w[:, :3, 3]

    def to(self, device: torch.device | str) -> Cameras:
        """The same cameras on another device."""
        return Cameras(self.c2w.to(device), self.K.to(device), self.width, self.height)

    def resized(self, width: int, height: int | None = None) -> Cameras:
        """The same views at another image size; K is scaled with it."""
        height = width if height is None else height
        scale = self.K.new_tensor([width / self.width, height / self.height, 1.0])
        return Cameras(self.c2w, self.K * scale[:, None], width, height)

    def azimuths_deg(self) -> Tensor:
        """Azimuth (B,) in [-180, 180) of each camera as seen from the origin."""
        return torch.rad2deg(torch.atan2(self.positions[:, 1], self.positions[:, 0]))

    def elevations_deg(self) -> Tensor:
        """Elevation (B,) in degrees of each camera as seen from the origin."""
        return torch.rad2deg(torch.asin((self.positions[:, 2] / self.positions.norm(dim=1)).clamp(-1, 1)))

    def rays(self) -> tuple[Tensor, Tensor]:
        """Origins and unit directions (B,H,W,3) of the rays through all pixel centres."""
        like = {"device": self.c2w.device, "dtype": self.c2w.dtype}
        v, u = torch.meshgrid(
            torch.arange(self.height, **like) + 0.5, torch.arange(self.width, **like) + 0.5, indexing="ij"
        )
        x = (u - self.K[:, 0, 2, None, None]) / self.K[:, 0, 0, None, None]
        y = (v - self.K[:, 1, 2, None, None]) / self.K[:, 1, 1, None, None]
        local = torch.stack([x, y, torch.ones_like(x)], dim=-1)
        world = torch.einsum("bij,bhwj->bhwi", self.c2w[:, :3, :3], local)
        directions = world / world.norm(dim=-1, keepdim=True)
        return self.positions[:, None, None, :].expand_as(directions), directions


def cameras_from(cameras: Sequence[Camera]) -> Cameras:
    """Stack cameras of one image size into a batch."""
    sizes = {(camera.width, camera.height) for camera in cameras}
    assert len(sizes) == 1, f"cameras of one batch must share an image size, got {sizes}"
    c2w = torch.from_numpy(np.stack([camera.c2w for camera in cameras]))
    K = torch.from_numpy(np.stack([camera.K for camera in cameras]))
    return Cameras(c2w, K, *next(iter(sizes)))


def orbit_cameras(
    azimuths_deg: Sequence[float],
    elevations_deg: Sequence[float] | float,
    distance: float,
    fov_deg: float,
    width: int,
    height: int | None = None,
) -> Cameras:
    """Cameras on a sphere round the origin that look at it; one elevation serves all when a number is
    given.
    """
    height = width if height is None else height
    if isinstance(elevations_deg, int | float):
        elevations_deg = [float(elevations_deg)] * len(azimuths_deg)
    K = intrinsics(fov_deg, width, height)
    poses = [
        orbit_c2w(float(a), float(e), distance) for a, e in zip(azimuths_deg, elevations_deg, strict=True)
    ]
    return Cameras(
        torch.from_numpy(np.stack(poses)), torch.from_numpy(np.stack([K] * len(poses))), width, height
    )
