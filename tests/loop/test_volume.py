"""Scenes as volumes, and the visual hull, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.core.cameras import orbit_cameras
from engine.loop.state import Anchor
from engine.loop.visual_hull import hull_grid, hull_points, project, sample_views
from engine.loop.volume import SMALLEST_VOXELS, colours_at, occupancy_grid
from engine.scene import field, splats
from tests.loop.balls import RADIUS, ball_picture

CAMERAS = orbit_cameras([0, 45, 90, 135, 180, 225, 270, 315], [10, 25] * 4, 3.05, 40, 32)


def ball_anchor() -> Anchor:
    rgba = ((ball_picture() + 1) / 2).permute(1, 2, 0)
    return Anchor(rgba[None].repeat(8, 1, 1, 1), CAMERAS)


def one_splat(opacity: float, scale: float) -> splats.Splats:
    return splats.from_points(torch.zeros(1, 3), torch.tensor([[0.2, 0.4, 0.6]]), scale, opacity)


def test_one_splat_has_the_solidity_of_its_gaussian() -> None:
    scene = one_splat(0.9, 0.2)
    solidity = occupancy_grid(scene, 41)
    axis = np.linspace(-1, 1, 41)
    distance = np.abs(axis)
    within, beyond = distance < 0.59, distance > 0.61  # a splat reaches three standard deviations
    variance = 0.2**2 + (SMALLEST_VOXELS * 0.05) ** 2
    assert np.allclose(
        solidity[within, 20, 20], 0.9 * np.exp(-0.5 * distance[within] ** 2 / variance), atol=1e-4
    )
    assert not solidity[beyond, 20, 20].any()
    points = np.array([[0, 0, 0], [0.1, -0.2, 0.3], [0.9, 0, 0]])
    assert np.allclose(colours_at(scene, points), [[0.2, 0.4, 0.6], [0.2, 0.4, 0.6], [0, 0, 0]], atol=1e-4)


def test_layers_of_splats_are_solid_as_layers_are() -> None:
    two = splats.from_points(torch.zeros(2, 3), torch.rand(2, 3), 0.2, 0.5)
    assert occupancy_grid(two, 21)[10, 10, 10] == pytest.approx(0.75, abs=1e-5)


def test_a_turned_ellipsoid_lies_along_its_axis() -> None:
    cloud = one_splat(0.9, 0.1)
    turned = splats.Splats(cloud.means, torch.log(torch.tensor([[0.4, 0.05, 0.05]])),
        torch.tensor([[0.9239, 0, 0, 0.3827]]),
                           cloud.logit_opacities, cloud.colours)  # fmt: skip
    solidity = occupancy_grid(turned, 41)
    assert solidity[26, 26, 20] > 0.5 > 0.01 > solidity[26, 14, 20]


def test_covariances_are_those_of_the_axes() -> None:
    cloud = splats.random_ball(50, 0.5, 0.1, torch.Generator().manual_seed(0))
    cloud = splats.Splats(
        cloud.means, torch.randn(50, 3) * 0.3, torch.randn(50, 4), cloud.logit_opacities, cloud.colours
    )
    eigenvalues = torch.linalg.eigvalsh(splats.covariances(cloud))
    assert torch.allclose(eigenvalues, (cloud.scales**2).sort(dim=1).values, rtol=1e-3)


def test_smoothing_adds_variances() -> None:
    assert torch.allclose(splats.smoothed(one_splat(0.5, 0.3), 0.4).scales, torch.tensor(0.5))


def test_a_field_is_as_solid_as_one_of_its_voxels() -> None:
    density = torch.full((9, 9, 9), 3.0)
    solidity = occupancy_grid(field.from_density(density), 5)
    assert np.allclose(solidity, 1 - np.exp(-3.0 * 0.25), atol=1e-4)


def test_projection_agrees_with_the_rays() -> None:
    origins, directions = CAMERAS.rays()
    points = (origins + 2.5 * directions)[2, 5, 7]
    assert torch.allclose(project(CAMERAS, points[None])[2, 0], torch.tensor([7.5, 5.5]), atol=1e-3)


def test_hull_of_a_ball_is_the_ball() -> None:
    points, colours = hull_points(ball_anchor(), 500, torch.Generator().manual_seed(0))
    assert points.shape == (500, 3)
    beside = points[:, :2].norm(dim=1)
    assert beside.max() < RADIUS + 0.12, "seen from all round, the hull is no wider than the ball"
    assert torch.allclose(colours.mean(0), torch.tensor([0.9, 0.2, 0.1]), atol=0.03)


def test_hull_grid_is_dense_inside_and_thin_outside() -> None:
    density, colour = hull_grid(ball_anchor(), field.node_positions(21))
    assert density[10, 10, 10] > 10 and density[0, 0, 0] < 0.1
    assert colour.shape == (21, 21, 21, 3)


def test_views_that_agree_on_nothing_have_no_hull() -> None:
    anchor = ball_anchor()
    anchor.rgba[::2] = 0
    assert hull_points(anchor, 100, torch.Generator().manual_seed(0)) is None


def test_points_behind_or_beside_the_picture_see_nothing() -> None:
    assert sample_views(ball_anchor(), torch.tensor([[0.0, 0.0, 30.0]])).abs().max() == 0


def test_a_copy_looks_the_same_at_every_size() -> None:
    """Drawn four times larger, pixels averaged, a cloud of fine splats is what it was where it was
    optimised.
    """
    from engine.core.camera import orbit_camera
    from engine.loop.frames import render_rgba
    from engine.loop.messages import SceneCopy

    cloud = splats.random_ball(300, 0.5, 0.004, torch.Generator().manual_seed(0), opacity=0.8)
    copy = SceneCopy(0, 0, cloud, "auto", 40.0, 3.05, render_size=32)
    small = render_rgba(copy, [orbit_camera(20, 10, 3.05, 40, 32)])[0].astype(float)
    large = render_rgba(copy, [orbit_camera(20, 10, 3.05, 40, 128)])[0].astype(float)
    pooled = large.reshape(32, 4, 32, 4, 4).mean(axis=(1, 3))
    assert np.abs(pooled - small).mean() < 4
    forgetful = SceneCopy(0, 0, cloud, "auto", 40.0, 3.05)
    thin = (
        render_rgba(forgetful, [orbit_camera(20, 10, 3.05, 40, 128)])[0]
        .astype(float)
        .reshape(32, 4, 32, 4, 4)
        .mean(axis=(1, 3))
    )
    assert thin[..., 3].mean() < 0.5 * small[..., 3].mean(), "without it the cloud would nearly vanish"
