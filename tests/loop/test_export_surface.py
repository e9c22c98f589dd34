"""Surfaces: a ball has a ball's area and volume, faces look outwards, pieces and budgets are kept."""

from __future__ import annotations

import math

import numpy as np
import pytest
import trimesh

from engine.assets.export.surface import (
    SurfaceOptions,
    automatic_level,
    extract_surface,
    is_watertight,
    sample_grid,
)
from engine.errors import InputError

RADIUS = 0.5


def distance_inside(points: np.ndarray) -> np.ndarray:
    return RADIUS - np.linalg.norm(points, axis=1)


def soft_ball(points: np.ndarray) -> np.ndarray:
    return 30.0 / (1.0 + np.exp(-40.0 * distance_inside(points)))


def two_balls(points: np.ndarray) -> np.ndarray:
    big, small = np.array([-0.4, 0.0, 0.0]), np.array([0.6, 0.0, 0.0])
    return np.maximum(
        0.4 - np.linalg.norm(points - big, axis=1), 0.2 - np.linalg.norm(points - small, axis=1)
    )


def as_mesh(density_at, **options) -> trimesh.Trimesh:
    surface = extract_surface(density_at, SurfaceOptions(**options))
    return trimesh.Trimesh(surface.vertices, surface.faces, process=False)


@pytest.mark.parametrize("smoothing", [0, 3])
@pytest.mark.parametrize("max_faces", [0, 4000])
def test_a_ball_has_its_area_and_volume_and_is_closed(smoothing: int, max_faces: int) -> None:
    mesh = as_mesh(distance_inside, level=0.0, smoothing=smoothing, max_faces=max_faces)
    assert abs(mesh.area / (4 * math.pi * RADIUS**2) - 1) < 0.005
    assert abs(mesh.volume / (4 / 3 * math.pi * RADIUS**3) - 1) < 0.005, (
        "positive volume: faces look outwards"
    )
    assert mesh.is_watertight and is_watertight(mesh.faces)
    assert max_faces == 0 or len(mesh.faces) <= max_faces


def test_the_error_falls_with_the_square_of_the_grid_step() -> None:
    exact = 4 / 3 * math.pi * RADIUS**3
    options = {"level": 0.0, "smoothing": 0, "max_faces": 0}
    coarse, fine = (
        abs(as_mesh(distance_inside, resolution=size, **options).volume - exact) for size in (25, 49)
    )
    assert 3.2 < coarse / fine < 4.8


def test_the_automatic_level_lies_half_way_up_a_step() -> None:
    assert abs(automatic_level(sample_grid(soft_ball, 96)) - 15.0) < 1.0
    mesh = as_mesh(soft_ball)
    assert (
        abs(mesh.area / (4 * math.pi * RADIUS**2) - 1) < 0.015
        and abs(mesh.volume / (4 / 3 * math.pi * RADIUS**3) - 1) < 0.015
    )


def test_one_gaussian_has_the_radius_of_its_closed_form() -> None:
    opacity, sigma, level = 0.9, 0.2, 0.3
    mesh = as_mesh(lambda p: opacity * np.exp(-0.5 * (p**2).sum(1) / sigma**2), level=level, smoothing=0)
    expected = sigma * math.sqrt(2 * math.log(opacity / level))
    np.testing.assert_allclose(np.linalg.norm(mesh.vertices, axis=1), expected, atol=1e-3)


def test_only_the_largest_piece_is_kept_when_asked() -> None:
    both, one = (as_mesh(two_balls, level=0.0, largest_only=largest) for largest in (False, True))
    assert both.body_count == 2 and one.body_count == 1
    assert abs(one.volume / (4 / 3 * math.pi * 0.4**3) - 1) < 0.01 and one.vertices[:, 0].max() < 0.1
    assert len(np.unique(one.faces)) == len(one.vertices)


def test_a_shape_that_leaves_the_cube_is_closed_at_its_sides() -> None:
    mesh = as_mesh(lambda p: 0.5 - np.abs(p[:, 2]), level=0.0, resolution=33, smoothing=0, max_faces=0)
    assert mesh.is_watertight
    np.testing.assert_allclose(mesh.bounds, [[-1, -1, -0.5], [1, 1, 0.5]], atol=1e-6)
    np.testing.assert_allclose(mesh.volume, 4.0, rtol=0.02)


def test_axes_are_x_y_z() -> None:
    mesh = as_mesh(lambda p: 0.2 - np.linalg.norm(p - np.array([0.5, 0.25, -0.5]), axis=1), level=0.0)
    np.testing.assert_allclose(mesh.vertices.mean(0), [0.5, 0.25, -0.5], atol=0.01)


def test_smoothing_takes_noise_away_and_keeps_the_volume() -> None:
    noise = np.random.default_rng(0).normal(0.0, 0.01, 96**3).astype(np.float32)

    def rough(points: np.ndarray) -> np.ndarray:
        index = np.rint((points + 1) * 95 / 2).astype(int)
        return distance_inside(points) + noise[np.ravel_multi_index(index.T, (96, 96, 96))]

    raw, smoothed = (as_mesh(rough, level=0.0, smoothing=rounds, max_faces=0) for rounds in (0, 10))
    crease = [mesh.face_adjacency_angles.mean() for mesh in (raw, smoothed)]
    assert crease[1] < 0.65 * crease[0] and abs(smoothed.volume / raw.volume - 1) < 0.005


def test_a_budget_too_small_for_the_holes_of_a_shape_does_not_open_it() -> None:
    centres = np.random.default_rng(0).normal(0, 0.3, (40, 3))
    lumps = as_mesh(
        lambda p: sum(np.exp(-0.5 * ((p - c) ** 2).sum(1) / 0.08**2) for c in centres),
        resolution=64,
        max_faces=500,
    )
    assert lumps.is_watertight and len(lumps.faces) < 8000


@pytest.mark.parametrize(
    ("density_at", "level", "message"),
    [
        (lambda p: np.zeros(len(p)), None, "no surface"),
        (distance_inside, 0.9, "no surface"),
        (lambda p: np.where(p[:, 0] > 0.9, np.nan, 1.0), None, "not finite"),
    ],
    ids=["empty", "level too high", "nan"],
)
def test_what_has_no_surface_is_an_error_with_a_remedy(density_at, level: float | None, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        extract_surface(density_at, SurfaceOptions(resolution=24, level=level))
    assert caught.value.remedy


def test_watertight_means_every_edge_twice_and_in_both_directions() -> None:
    closed = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
    assert is_watertight(closed)
    assert not is_watertight(closed[:3])
    assert not is_watertight(np.concatenate([closed[:3], closed[3:, ::-1]]))
