"""Where runs look from: all round, and at every height that the prior is at home with."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engine.loop.viewpoints import random_cameras
from engine.prior.base import PriorInfo

INFO = PriorInfo("single", "Single", "rgb", 64, 7.5, elevation_range_deg=(0.0, 30.0))
JOINT = replace(INFO, joint_views=True)


def elevations(info: PriorInfo, draws: int, views: int) -> Tensor:
    """(draws, views), from one generator."""
    rng = torch.Generator().manual_seed(0)
    return torch.stack([random_cameras(info, views, 8, rng).elevations_deg() for _ in range(draws)])


def test_elevations_fill_the_range_evenly_up_to_its_top() -> None:
    """Within Kolmogorov's bound at one in a thousand: no height is favoured, and none left out."""
    found = elevations(INFO, 250, 8).flatten().double().sort().values
    ranks = (torch.arange(len(found), dtype=torch.float64) + 0.5) / len(found)
    assert (found / 30 - ranks).abs().max() < 1.95 / len(found) ** 0.5
    assert found[0] < 0.5 and found[-1] > 29.5


@pytest.mark.parametrize("info", [INFO, JOINT])
def test_views_that_are_judged_together_share_a_height_and_others_do_not(info: PriorInfo) -> None:
    spread = elevations(info, 20, 4)
    assert ((spread - spread[:, :1]).abs().amax(1) < 1e-3).all() == info.joint_views


def test_views_are_spaced_evenly_from_a_random_start() -> None:
    rng = torch.Generator().manual_seed(0)
    turned = torch.stack([random_cameras(INFO, 4, 8, rng).azimuths_deg() % 360 for _ in range(200)])
    gaps = (turned.roll(-1, 1) - turned) % 360
    assert torch.allclose(gaps, torch.full_like(gaps, 90), atol=1e-2)
    firsts = turned[:, 0].double().sort().values
    assert (firsts / 360 - (torch.arange(200, dtype=torch.float64) + 0.5) / 200).abs().max() < 1.95 / 200**0.5
