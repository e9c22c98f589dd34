"""Viewpoints on a sphere and the regional convolution of their scores."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.camera import orbit_position
from engine.evaluation.judging import icosphere, regional


@pytest.mark.parametrize(("level", "count"), [(0, 12), (1, 42), (2, 162)])
def test_counts_and_neighbours(level: int, count: int) -> None:
    sphere = icosphere(level)
    degrees = [len(near) for near in sphere.neighbours]
    assert len(sphere.directions) == len(degrees) == count
    assert sorted(set(degrees)) == ([5] if level == 0 else [5, 6]) and degrees.count(5) == 12, (
        "Euler's twelve"
    )
    assert all(v in sphere.neighbours[w] for v, near in enumerate(sphere.neighbours) for w in near)


def test_angles_say_where_the_directions_point() -> None:
    sphere = icosphere(1)
    points = [orbit_position(a, e, 1.0) for a, e in zip(sphere.azimuths_deg, sphere.elevations_deg)]
    np.testing.assert_allclose(points, sphere.directions, atol=1e-12)
    np.testing.assert_allclose(sphere.directions.mean(0), 0, atol=1e-12)


def test_constants_stay_and_the_maximum_never_rises() -> None:
    sphere, rng = icosphere(2), np.random.default_rng(0)
    np.testing.assert_allclose(regional(np.full(162, 0.7), sphere), 0.7)
    scores = rng.normal(size=162)
    heights = [regional(scores, sphere, rounds).max() for rounds in range(5)]
    assert heights[0] == scores.max() and np.all(np.diff(heights) <= 0)


def test_a_spike_is_shared_with_its_neighbours() -> None:
    sphere = icosphere(2)
    for spike in (0, 100):
        scores = np.zeros(162)
        scores[spike] = 1.0
        once = regional(scores, sphere, 1)
        assert once[spike] == pytest.approx(1 / (len(sphere.neighbours[spike]) + 1))
        for near in sphere.neighbours[spike]:
            assert once[near] == pytest.approx(1 / (len(sphere.neighbours[near]) + 1))
        assert np.count_nonzero(once) == 1 + len(sphere.neighbours[spike])
