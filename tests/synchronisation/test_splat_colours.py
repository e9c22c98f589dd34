"""Splat colours as a canonical space: constants stay, what one splat shows comes back, and the maps are
transposes.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.core.cameras import orbit_cameras
from engine.errors import InputError
from engine.render import choose
from engine.scene.splats import random_ball
from engine.synchronisation.splat_colours import SplatColours


@pytest.fixture(scope="module")
def space() -> SplatColours:
    ball = random_ball(60, 0.5, 0.09, torch.Generator().manual_seed(0), opacity=0.9)
    return SplatColours(
        ball, choose(ball, "torch"), orbit_cameras([0.0, 90.0, 180.0, 270.0], 15.0, 3.05, 40.0, 24)
    )


def test_one_colour_stays_that_colour(space: SplatColours) -> None:
    for value in (-2.3, 0.4):
        z = torch.full((4, 60), value)
        seen, mask = space.project(z)
        assert torch.allclose(seen, mask * value, atol=2e-3) and mask.mean() > 0.05
        assert torch.allclose(space.unproject(torch.full_like(seen, value)), z, atol=1e-2)


def test_the_maps_are_each_others_transpose(space: SplatColours) -> None:
    rng = torch.Generator().manual_seed(1)
    z, v = torch.randn(4, 60, generator=rng), torch.randn(4, 4, 24, 24, generator=rng)
    assert float((space._composed(z) * v).sum()) == pytest.approx(
        float((z * space._transposed(v)).sum()), rel=1e-3, abs=1e-2
    )


def test_colours_come_back_from_their_pictures(space: SplatColours) -> None:
    """The better the more a splat is seen; more steps come nearer than the weighted mean alone."""
    z = torch.rand(3, 60, generator=torch.Generator().manual_seed(2))
    seen, _ = space.project(z)
    back = space.unproject(seen)
    seen_well = space.columns > space.columns.median()
    assert float((back - z)[:, seen_well].abs().mean()) < 0.12
    again, mask = space.project(back)
    assert float((mask * (again - seen)).abs().mean()) < 0.02


def test_a_scene_that_nobody_sees_is_refused(space: SplatColours) -> None:
    away = replace(space.splats, means=space.splats.means + 50)
    with pytest.raises(InputError, match="No camera sees"):
        SplatColours(away, space.renderer, space.cameras)
