"""Which way a surface faces, from its depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.cameras import Cameras
from engine.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

SOLID = 0.5  # alpha from which on a pixel shows a surface
FACING = (0.0, 0.0, -1.0)  # towards the camera


def camera_normals(depth: Tensor, alpha: Tensor, cameras: Cameras) -> Tensor:
    """Unit normals (B,H,W,3) in each camera's own axes (+x right, +y down, +z forward), turned to the camera.

    ``depth`` (B,H,W,1) is view-space z weighted by ``alpha`` (B,H,W,1), as in ``Views``. The normal is the
    cross product of the surface's steps to the neighbouring pixels: central differences, one-sided at the
    outline, and ``FACING`` where there is no surface or a pixel stands alone. Exact for planes; of second
    order in the pixel's size elsewhere.
    """
    solid = alpha > SOLID
    points = unprojected(torch.where(solid, depth / alpha.clamp(min=SOLID), 1.0), cameras)
    across = _slope(points, solid, dim=2)
    down = _slope(points, solid, dim=1)
    normal = torch.linalg.cross(down, across, dim=-1)
    normal = normal * torch.where((normal * points).sum(dim=-1, keepdim=True) > 0, -1.0, 1.0)
    length = normal.norm(dim=-1, keepdim=True)
    return torch.where(solid & (length > 0), normal / length.clamp(min=1e-30), normal.new_tensor(FACING))


def depth_normals(depth: Tensor, cameras: Cameras) -> Tensor:
    """Unit normals (B,H,W,3) in world axes, towards the camera, of pictures of depth along its axis (B,H,W);
    0 at the rim.

    Central differences alone, as 2DGS takes them: for losses that ask only where all neighbours are on the
    surface.
    """
    points = unprojected(depth[..., None], cameras)
    right = points[:, 1:-1, 2:] - points[:, 1:-1, :-2]
    down = points[:, 2:, 1:-1] - points[:, :-2, 1:-1]
    towards = torch.nn.functional.normalize(torch.linalg.cross(down, right), dim=-1)
    world = torch.einsum("bij,bhwj->bhwi", cameras.c2w[:, :3, :3].to(depth), towards)
    return torch.nn.functional.pad(world, (0, 0, 1, 1, 1, 1))


def unprojected(z: Tensor, cameras: Cameras) -> Tensor:
    """What each pixel's centre shows at depth ``z`` (B,H,W,1): points (B,H,W,3) in the camera's axes."""
    K = cameras.K.to(z)
    height, width = z.shape[1:3]
    v, u = torch.meshgrid(torch.arange(height).to(z) + 0.5, torch.arange(width).to(z) + 0.5, indexing="ij")
    x = (u - K[:, 0, 2, None, None]) / K[:, 0, 0, None, None]
    y = (v - K[:, 1, 2, None, None]) / K[:, 1, 1, None, None]
    return torch.stack([x, y, torch.ones_like(x)], dim=-1) * z


def _slope(points: Tensor, solid: Tensor, dim: int) -> Tensor:
    """The mean of the steps to both neighbours along ``dim`` of (B,H,W,3), of those that are on the surface;
    else 0.
    """
    size = points.shape[dim]
    step = points.narrow(dim, 1, size - 1) - points.narrow(dim, 0, size - 1)
    both = (solid.narrow(dim, 1, size - 1) & solid.narrow(dim, 0, size - 1)).to(points)
    step, both = (_padded(part, dim) for part in (step * both, both))
    total = step.narrow(dim, 0, size) + step.narrow(dim, 1, size)
    return total / (both.narrow(dim, 0, size) + both.narrow(dim, 1, size)).clamp(min=1)


def _padded(steps: Tensor, dim: int) -> Tensor:
    """A step of 0 before the first and after the last."""
    return torch.nn.functional.pad(steps, (0, 0, 1, 1) if dim == 2 else (0, 0, 0, 0, 1, 1))
