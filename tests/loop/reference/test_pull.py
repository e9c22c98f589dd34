"""The pull on a shape: nothing where it is its reference, by the strength at the noise, and coarse where
there is much.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.loop.reference.guide import mask_of, views_of
from engine.loop.terms.reference import canonical_map, pull
from engine.prior.reference.silhouette import outline_iou
from engine.prior.reference.strength import Influence, StrengthCurve
from tests.loop.reference.ball_model import BallModel

FULL = Influence(StrengthCurve.between(1, 1))
CALM = torch.full((3,), 0.1)


@pytest.fixture
def cameras() -> Cameras:
    return orbit_cameras([0.0, 100.0, 250.0], [0.0, 20.0, -10.0], 3.0, 40.0, 64)


def test_depth_and_canonical_coordinates_say_the_same(cameras: Cameras) -> None:
    maps = BallModel(centre=(0.2, -0.1, 0.1)).maps(cameras)
    views = views_of(maps, cameras)
    torch.testing.assert_close(
        canonical_map(views, cameras), (maps.ccm * maps.mask)[0].movedim(1, -1), atol=1e-5, rtol=1e-5
    )


def test_the_nearest_point_of_a_ball_is_a_radius_before_its_centre(cameras: Cameras) -> None:
    views = views_of(BallModel(0.5).maps(cameras), cameras)
    torch.testing.assert_close(views.depth[:, 32, 32, 0], torch.full((3,), 2.5), atol=2e-3, rtol=0)


def test_nothing_pulls_at_the_reference_itself_and_more_at_what_is_further_off(cameras: Cameras) -> None:
    maps = BallModel(0.6).maps(cameras)
    pulls = [
        float(pull(views_of(BallModel(r).maps(cameras), cameras), cameras, maps, CALM, FULL, "progress"))
        for r in (0.6, 0.5, 0.3)
    ]
    assert pulls[0] < 1e-10 and 1e-4 < pulls[1] < pulls[2]


def test_a_shape_with_the_right_outline_at_the_wrong_depth_is_pulled(cameras: Cameras) -> None:
    maps = BallModel(0.6).maps(cameras)
    views = views_of(maps, cameras)
    nearer = replace(views, depth=views.depth - 0.2 * views.alpha)
    assert float(pull(nearer, cameras, maps, CALM, FULL, "progress")) > 1e-4


def test_the_pull_is_the_strength_at_each_views_noise_times_the_distance(cameras: Cameras) -> None:
    maps, other = BallModel(0.6).maps(cameras), views_of(BallModel(0.4).maps(cameras), cameras)
    curve = StrengthCurve.parse("0:0,0.5:0,1:2")
    alone = [
        float(pull(_one(other, i), cameras[[i]], _side(maps, i), CALM[:1], FULL, "progress"))
        for i in range(3)
    ]
    times = torch.tensor([0.9, 0.25, 0.0])
    found = float(pull(other, cameras, maps, times, Influence(curve, 0.5), "noise_level"))
    strengths = [0.5 * curve.at(1 - float(time)) for time in times]
    coarse = [
        float(pull(_one(other, i), cameras[[i]], _side(maps, i), times[[i]], FULL, "noise_level"))
        for i in range(3)
    ]
    assert found == pytest.approx(sum(s * d for s, d in zip(strengths, coarse, strict=True)) / 3, rel=1e-5)
    assert strengths[0] == 0 and alone[0] > 0


def _one(views: Views, i: int) -> Views:
    return Views(views.rgb[[i]], views.alpha[[i]], views.depth[[i]])


def _side(maps, i: int):
    return replace(maps, ccm=maps.ccm[:, [i]], mask=maps.mask[:, [i]])


def test_where_there_is_much_noise_only_the_overall_shape_counts(cameras: Cameras) -> None:
    """A fine pattern in alpha that 4 x 4 means cannot see pulls at little noise alone."""
    half = Views(torch.zeros(3, 64, 64, 3), torch.full((3, 64, 64, 1), 0.5), torch.zeros(3, 64, 64, 1))
    fine = torch.zeros(64, 64)
    fine[::2] = 1.0
    maps = BallModel().maps(cameras)
    maps = replace(maps, ccm=torch.zeros_like(maps.ccm), mask=fine.expand(1, 3, 1, 64, 64))
    noisy, calm = (
        float(pull(half, cameras, maps, torch.full((3,), time), FULL, "progress")) for time in (0.99, 0.05)
    )
    assert calm - noisy == pytest.approx(0.25, abs=1e-3)


def test_outlines_are_compared_by_intersection_over_union(cameras: Cameras) -> None:
    mask = mask_of(BallModel(0.6).maps(cameras))
    left = mask.clone()
    left[:, :, 32:] = 0
    torch.testing.assert_close(outline_iou(mask, mask), torch.ones(3))
    torch.testing.assert_close(outline_iou(left, mask), torch.full((3,), 0.5), atol=0.03, rtol=0)
    assert float(outline_iou(mask, torch.zeros_like(mask)).max()) == 0
    assert not outline_iou(torch.zeros_like(mask), torch.zeros_like(mask)).any()
