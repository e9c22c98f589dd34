"""Cameras: conventions, round trips and rays."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine.core.camera import (
    OPENCV_FROM_OPENGL,
    c2w_from_opengl,
    c2w_from_wxyz,
    intrinsics,
    look_at,
    orbit_c2w,
    orbit_camera,
    orbit_position,
)
from engine.core.cameras import Cameras, cameras_from, orbit_cameras

ANGLES = [(0.0, 0.0), (90.0, 0.0), (-135.0, 30.0), (170.0, -60.0), (45.0, 89.0)]


def project(cameras: Cameras, points: torch.Tensor) -> torch.Tensor:
    """Pixels (B,N,2) of world points (N,3)."""
    local = (
        torch.einsum("bij,nj->bni", cameras.viewmats[:, :3, :3], points) + cameras.viewmats[:, None, :3, 3]
    )
    image = torch.einsum("bij,bnj->bni", cameras.K, local)
    return image[..., :2] / image[..., 2:]


def test_azimuth_runs_from_x_to_y_and_elevation_up() -> None:
    assert np.allclose(orbit_position(0, 0, 2), [2, 0, 0])
    assert np.allclose(orbit_position(90, 0, 2), [0, 2, 0])
    assert np.allclose(orbit_position(37, 90, 2), [0, 0, 2])


def test_angles_and_distance_come_back() -> None:
    azimuths, elevations = zip(*ANGLES)
    cameras = orbit_cameras(azimuths, elevations, 3.05, 40.0, 64)
    assert torch.allclose(cameras.azimuths_deg(), torch.tensor(azimuths), atol=1e-3)
    # asin is flat near the pole
    assert torch.allclose(cameras.elevations_deg(), torch.tensor(elevations), atol=1e-2)
    assert torch.allclose(cameras.positions.norm(dim=1), torch.tensor(3.05))


@pytest.mark.parametrize(("azimuth", "elevation"), [*ANGLES, (20.0, 90.0), (20.0, -90.0)])
def test_camera_frames_are_right_handed_rotations_that_look_at_the_origin(
    azimuth: float, elevation: float
) -> None:
    c2w = orbit_c2w(azimuth, elevation, 2.5)
    rotation = c2w[:3, :3].astype(np.float64)
    assert np.allclose(rotation.T @ rotation, np.eye(3), atol=1e-5)
    assert np.linalg.det(rotation) == pytest.approx(1, abs=1e-5)
    assert np.allclose(c2w[:3, 3] + 2.5 * rotation[:, 2], 0, atol=1e-5)


def test_up_in_the_world_is_up_in_the_picture() -> None:
    """OpenCV's image y runs down, and x to the viewer's right: at azimuth 0 that is the world's +y."""
    cameras = orbit_cameras([0.0], 0.0, 3.0, 40.0, 64)
    pixels = project(cameras, torch.tensor([[0.0, 0, 0], [0, 0, 0.5], [0, 0.5, 0]]))[0]
    assert torch.allclose(pixels[0], torch.tensor([32.0, 32.0]), atol=1e-4)
    assert pixels[1, 1] < 31 and pixels[1, 0] == pytest.approx(32, abs=1e-4)
    assert pixels[2, 0] > 33 and pixels[2, 1] == pytest.approx(32, abs=1e-4)


def test_straight_down_image_up_is_away_from_the_azimuth() -> None:
    rotation = orbit_c2w(30, 90, 2)[:3, :3]
    assert np.allclose(-rotation[:, 1], -np.array([np.cos(np.pi / 6), np.sin(np.pi / 6), 0]), atol=1e-3)


@pytest.mark.parametrize(("fov_deg", "width", "height"), [(40.0, 64, 64), (75.0, 100, 60), (20.0, 30, 90)])
def test_field_of_view_spans_the_height(fov_deg: float, width: int, height: int) -> None:
    """A point at height tan(fov/2) on the plane one unit ahead lies on the top border, in the middle
    column.
    """
    K = intrinsics(fov_deg, width, height)
    u, v, w = K @ np.array([0, -math.tan(math.radians(fov_deg) / 2), 1])
    assert (u / w, v / w) == pytest.approx((width / 2, 0), abs=1e-4)


def test_look_at_puts_the_target_ahead() -> None:
    position, target = np.array([1.0, -2, 0.5]), np.array([0.2, 0.3, 1.0])
    local = np.linalg.inv(look_at(position, target)) @ np.append(target, 1)
    assert np.allclose(local, [0, 0, np.linalg.norm(target - position), 1], atol=1e-5)


def test_opengl_conversion_is_its_own_inverse_and_flips_y_and_z() -> None:
    c2w = orbit_c2w(33, 12, 2)
    there = c2w_from_opengl(c2w)
    assert np.allclose(c2w_from_opengl(there), c2w)
    assert np.allclose(there[:3, 0], c2w[:3, 0]) and np.allclose(there[:3, 1:3], -c2w[:3, 1:3])
    assert np.allclose(there[:3, 3], c2w[:3, 3]) and np.allclose(
        OPENCV_FROM_OPENGL @ OPENCV_FROM_OPENGL, np.eye(4)
    )


def test_quaternion_of_a_turn_about_an_axis() -> None:
    """A turn by t about z is (cos t/2, 0, 0, sin t/2) and takes x towards y; length and sign of the
    quaternion do not matter.
    """
    t = 0.7
    wxyz, position = np.array([math.cos(t / 2), 0, 0, math.sin(t / 2)]), np.array([1.0, 2, 3])
    c2w = c2w_from_wxyz(wxyz, position)
    assert np.allclose(c2w[:3, 0], [math.cos(t), math.sin(t), 0], atol=1e-6) and np.allclose(
        c2w[:3, 3], position
    )
    assert np.allclose(c2w, c2w_from_wxyz(-3 * wxyz, position), atol=1e-6)
    for axis in range(3):
        fixed, second, third = np.eye(3)[axis], np.eye(3)[axis - 2], np.eye(3)[axis - 1]
        turn = c2w_from_wxyz(np.insert(fixed * math.sin(t / 2), 0, math.cos(t / 2)), position)[:3, :3]
        assert np.allclose(turn @ fixed, fixed, atol=1e-6)
        assert np.allclose(turn @ second, math.cos(t) * second + math.sin(t) * third, atol=1e-6)


def test_viewmats_invert_c2w() -> None:
    cameras = orbit_cameras([0.0, 77.0], [10.0, -50.0], 2.0, 40.0, 32)
    assert torch.allclose(cameras.viewmats @ cameras.c2w, torch.eye(4).expand(2, 4, 4), atol=1e-6)


def test_rays_pass_through_the_points_their_pixels_show() -> None:
    cameras = orbit_cameras([10.0, 250.0], [20.0, -35.0], 2.0, 50.0, 9, 6)
    origins, directions = cameras.rays()
    assert origins.shape == directions.shape == (2, 6, 9, 3)
    assert torch.allclose(directions.norm(dim=-1), torch.ones(2, 6, 9), atol=1e-6)
    for b in range(2):
        pixels = project(cameras[[b]], (origins[b] + 1.7 * directions[b]).reshape(-1, 3)).reshape(6, 9, 2)
        v, u = torch.meshgrid(torch.arange(6) + 0.5, torch.arange(9) + 0.5, indexing="ij")
        assert torch.allclose(pixels, torch.stack([u, v], -1), atol=1e-3)


def test_resized_cameras_see_the_same() -> None:
    cameras, points = orbit_cameras([10.0], 20.0, 2.0, 50.0, 40, 30), torch.randn(5, 3) * 0.3
    small = cameras.resized(20, 15)
    assert (small.width, small.height) == (20, 15)
    assert torch.allclose(project(small, points), project(cameras, points) / 2, atol=1e-3)
    square = project(cameras.resized(60), points) * torch.tensor([40 / 60, 30 / 60])
    assert torch.allclose(square, project(cameras, points), atol=1e-3)


def test_batches_of_single_cameras() -> None:
    singles = [orbit_camera(azimuth, elevation, 2.0, 40.0, 24, 16) for azimuth, elevation in ANGLES]
    cameras = cameras_from(singles)
    azimuths, elevations = zip(*ANGLES)
    same = orbit_cameras(azimuths, elevations, 2.0, 40.0, 24, 16)
    assert torch.equal(cameras.c2w, same.c2w) and torch.equal(cameras.K, same.K)
    assert len(cameras[1:3]) == 2 and torch.equal(cameras[torch.tensor([4])].c2w[0], same.c2w[4])
    with pytest.raises(AssertionError, match="image size"):
        cameras_from([singles[0], orbit_camera(0, 0, 2, 40, 8)])
