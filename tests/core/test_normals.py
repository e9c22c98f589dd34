"""Normals from depth against planes and a sphere, whose normals are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.core.cameras import Cameras, orbit_cameras
from engine.core.normals import FACING, camera_normals

DISTANCE, FOV_DEG = 3.0, 40.0


def local_rays(cameras: Cameras) -> Tensor:
    """Directions (B,H,W,3) in the camera's axes with z = 1."""
    _, world = cameras.rays()
    local = torch.einsum("bji,bhwj->bhwi", cameras.c2w[:, :3, :3], world)
    return local / local[..., 2:]


def of_sphere(cameras: Cameras, radius: float = 0.8) -> tuple[Tensor, Tensor, Tensor]:
    """Depth, alpha and true normals in camera axes of a sphere round the origin, which lies at (0, 0,
    DISTANCE).
    """
    rays = local_rays(cameras)
    unit = rays / rays.norm(dim=-1, keepdim=True)
    along = DISTANCE * unit[..., 2:]
    inside = along**2 - DISTANCE**2 + radius**2
    hit = (inside > 0).to(rays)
    points = unit * (along - inside.clamp(min=0).sqrt())
    centre = torch.tensor([0.0, 0.0, DISTANCE]).to(rays)
    return points[..., 2:] * hit, hit, (points - centre) / radius


@pytest.mark.parametrize("tilt", [(0.0, 0.0), (0.3, 0.0), (0.0, -0.5), (-0.4, 0.7)])
def test_a_plane_has_its_normal_everywhere(tilt: tuple[float, float]) -> None:
    """n . p = n_z d for the points p = z (x, y, 1): z = n_z d / (n . ray)."""
    cameras = orbit_cameras([0.0, 120.0], 20.0, DISTANCE, FOV_DEG, 12, 9)
    normal = torch.tensor([*tilt, -1.0])
    normal = normal / normal.norm()
    z = normal[2] * DISTANCE / (local_rays(cameras) @ normal)[..., None]
    found = camera_normals(z, torch.ones_like(z), cameras)
    torch.testing.assert_close(found, normal.expand_as(found), rtol=0, atol=1e-4)


def test_half_transparent_depth_is_read_as_the_surface() -> None:
    cameras = orbit_cameras([0.0], 0.0, DISTANCE, FOV_DEG, 8)
    z = 3.0 / (local_rays(cameras) @ torch.tensor([0.2, 0.1, 1.0]))[..., None]
    alpha = 0.6 + 0.4 * torch.rand(z.shape, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        camera_normals(alpha * z, alpha, cameras),
        camera_normals(z, torch.ones_like(z), cameras),
        rtol=0,
        atol=1e-4,
    )


def test_a_sphere_has_its_normals_and_the_error_falls_with_the_square_of_the_pixel() -> None:
    errors = []
    for size in (32, 64, 128):
        cameras = orbit_cameras([30.0], 10.0, DISTANCE, FOV_DEG, size)
        depth, alpha, true = of_sphere(cameras)
        found = camera_normals(depth.double(), alpha.double(), cameras)
        assert torch.allclose(found.norm(dim=-1), torch.ones(()).double(), atol=1e-9)
        # away from the outline, where no pixel is fine enough
        frontal = (alpha[..., 0] > 0) & (true[..., 2] < -0.6)
        errors.append(float((found - true)[frontal].norm(dim=-1).mean()))
    assert errors[0] < 0.01
    assert 3 < errors[0] / errors[1] < 5 and 3 < errors[1] / errors[2] < 5


def test_the_outline_of_a_sphere_turns_away_and_never_backwards() -> None:
    cameras = orbit_cameras([0.0], 0.0, DISTANCE, FOV_DEG, 64)
    depth, alpha, true = of_sphere(cameras)
    found = camera_normals(depth, alpha, cameras)
    rays = local_rays(cameras)
    hit = alpha[..., 0] > 0
    assert ((found * rays).sum(dim=-1)[hit] < 0).all()
    left, top = hit & (true[..., 0] < -0.8), hit & (true[..., 1] < -0.8)
    assert (found[..., 0][left] < -0.4).all() and (found[..., 1][top] < -0.4).all()


def test_where_nothing_is_the_normal_faces_the_camera() -> None:
    cameras = orbit_cameras([0.0], 0.0, DISTANCE, FOV_DEG, 6)
    empty = torch.zeros(1, 6, 6, 1)
    alone = empty.clone()
    alone[0, 2, 3] = 1.0
    for depth, alpha in ((empty, empty), (2 * alone, alone)):
        found = camera_normals(depth, alpha, cameras)
        assert torch.equal(found, torch.tensor(FACING).expand_as(found))
