"""Where a run looks from, for priors of single views, of joint views and of whole orbits."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.loop.viewpoints import draft_cameras, draft_count, random_cameras
from engine.prior.base import PriorInfo

SINGLE = PriorInfo("single", "Single", "rgb", 64, 7.5, elevation_range_deg=(-10.0, 45.0))
JOINT = replace(SINGLE, joint_views=True)
ORBIT = replace(JOINT, orbit_views=4, elevation_range_deg=(0.0, 30.0), distance=2.5)


def gaps(azimuths: torch.Tensor) -> torch.Tensor:
    """Angles between neighbours all the way round."""
    sorted_ = (azimuths % 360).sort().values
    return (sorted_.roll(-1) - sorted_) % 360


def randomly(info: PriorInfo, count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    cameras = random_cameras(info, count, 32, torch.Generator().manual_seed(seed))
    torch.testing.assert_close(cameras.positions.norm(dim=1), torch.full((len(cameras),), info.distance), atol=1e-5, rtol=0)
    return cameras.azimuths_deg(), cameras.elevations_deg()


@pytest.mark.parametrize("info", [SINGLE, JOINT, ORBIT])
@pytest.mark.parametrize("count", [4, 8])
def test_random_views_are_even_all_round_and_within_the_heights(info: PriorInfo, count: int) -> None:
    azimuths, elevations = randomly(info, count)
    torch.testing.assert_close(gaps(azimuths), torch.full((count,), 360.0 / count), atol=1e-3, rtol=0)
    low, high = info.elevation_range_deg
    assert low - 1e-3 <= elevations.min() and elevations.max() <= high + 1e-3
    assert not torch.allclose(azimuths, randomly(info, count, seed=1)[0])


def test_joint_views_share_a_height_and_single_ones_do_not() -> None:
    assert randomly(JOINT, 8)[1].std() < 1e-3 < randomly(SINGLE, 8)[1].std()


@pytest.mark.parametrize("asked", [1, 3, 4, 5, 8, 16])
def test_orbits_are_whole_each_at_one_height(asked: int) -> None:
    azimuths, elevations = randomly(ORBIT, asked)
    assert len(azimuths) % 4 == 0 and asked <= len(azimuths) < asked + 4
    for orbit_azimuths, orbit_elevations in zip(azimuths.split(4), elevations.split(4), strict=True):
        torch.testing.assert_close(gaps(orbit_azimuths), torch.full((4,), 90.0), atol=1e-3, rtol=0)
        assert orbit_elevations.std() < 1e-3
    if len(azimuths) > 4:
        assert (elevations[0] - elevations[4]).abs() > 1e-2


def test_a_draft_begins_at_the_front() -> None:
    for info in (JOINT, ORBIT):
        cameras = draft_cameras(info, 4, 32)
        torch.testing.assert_close(cameras.azimuths_deg() % 360, torch.tensor([0.0, 90, 180, 270]), atol=1e-3, rtol=0)
    assert draft_cameras(ORBIT, 4, 32).elevations_deg().std() < 1e-3 < draft_cameras(JOINT, 4, 32).elevations_deg().std()


def test_a_draft_has_no_more_views_than_the_prior_draws_together() -> None:
    assert [draft_count(ORBIT, asked) for asked in (2, 4, 8)] == [2, 4, 4]
    assert [draft_count(JOINT, asked) for asked in (2, 4, 8)] == [2, 4, 8]
