"""Colours of a surface are those of the pictures that see it, and no others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.loop.messages import SceneCopy
from engine.loop.vertex_colours import colour_pictures, colours_from_pictures
from engine.scene import splats

RED, BLUE = np.array([0.9, 0.1, 0.1]), np.array([0.1, 0.2, 0.9])


def ball(count: int = 4000) -> tuple[np.ndarray, SceneCopy]:
    """A ball of splats, red where x > 0 and blue elsewhere, with a green core that nobody sees."""
    points = np.random.default_rng(0).normal(size=(count, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    colours = np.where(points[:, :1] > 0, RED, BLUE)
    inside = np.vstack([0.6 * points, 0.1 * points[:200]])
    painted = np.vstack([colours, np.tile([0.1, 0.9, 0.1], (200, 1))])
    scene = splats.from_points(
        torch.from_numpy(inside).float(), torch.from_numpy(painted).float(), scale=0.03, opacity=0.95
    )
    return points, SceneCopy(0, 0, scene, "cpu", 40.0, 3.05)


@pytest.fixture(scope="module")
def made() -> tuple[np.ndarray, SceneCopy]:
    return ball()


def test_points_take_the_colours_of_the_side_that_they_face(made) -> None:
    points, copy = made
    clear = points[np.abs(points[:, 0]) > 0.2]
    found = colours_from_pictures(
        colour_pictures(copy), 0.63 * clear, clear, lambda hidden: np.zeros((len(hidden), 3))
    )
    assert np.abs(found - np.where(clear[:, :1] > 0, RED, BLUE)).max() < 0.06


def test_what_no_picture_sees_keeps_its_own(made) -> None:
    points, copy = made
    own = np.tile([0.3, 0.4, 0.5], (len(points), 1))
    pictures = colour_pictures(copy)
    np.testing.assert_allclose(
        colours_from_pictures(pictures, 0.2 * points, points, own.__getitem__), own, atol=1e-6
    )
    np.testing.assert_allclose(
        colours_from_pictures(pictures, 0.63 * points, -points, own.__getitem__), own, atol=1e-6
    )
    np.testing.assert_allclose(
        colours_from_pictures(pictures, 9.0 * points[:50], points[:50], own[:50].__getitem__),
        own[:50],
        atol=1e-6,
    )
