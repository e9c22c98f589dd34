"""Estimating how high a camera stood."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.assets.images.camera_pose import (
    DRAWS,
    ELEVATIONS_DEG,
    TIMES,
    estimated_elevation_deg,
    estimated_turn_deg,
    lowest,
)
from engine.core.cameras import orbit_cameras
from engine.core.views import Views
from engine.loop.input_images import GivenViews, stood
from engine.prior.base import Condition, Prediction
from engine.prior.registry import load_prior
from engine.toybox.objects import draw_object
from engine.toybox.pictures import render_object
from tests.loop.balls import SIZE, ball_prior, quick_spec

TRUE_DEG, TRUE_AZIMUTH_DEG = 23.0, -47.0


class Knowing:
    """The ball prior, which knows pictures from one height, and ``sided`` from one side: it errs by how far
    the camera is off.
    """

    def __init__(self, clean: torch.Tensor, sided: bool = False) -> None:
        self.inner, self.clean, self.sided = ball_prior(), clean, sided
        self.info = replace(self.inner.info, takes_cameras=True)
        self.azimuths: list[float] = []

    def __getattr__(self, name: str):
        return getattr(self.inner, name)

    def predict(self, x_t: torch.Tensor, t: torch.Tensor, condition: Condition) -> Prediction:
        self.azimuths.append(float(condition.cameras.azimuths_deg()[0]))
        off = (condition.cameras.elevations_deg()[0] - TRUE_DEG) / 100
        turned = (condition.cameras.azimuths_deg()[0] - TRUE_AZIMUTH_DEG + 180) % 360 - 180
        errors = torch.stack([off, off, turned * self.sided / 100, turned * self.sided / 100])
        return Prediction(x_t, self.clean + errors[:, None, None])


def test_the_vertex_is_found_between_the_places() -> None:
    places = [10.0 * i for i in range(6)]
    assert lowest(places, [(place - 23) ** 2 for place in places]) == pytest.approx(23)
    assert lowest(places, [abs(place - 20) for place in places]) == pytest.approx(20)
    assert lowest(places, places) == 0 and lowest(places, [-place for place in places]) == 50


def test_the_height_is_that_from_which_the_prior_errs_least() -> None:
    x = torch.zeros(1, 4, SIZE, SIZE)
    prior = Knowing(x)
    found = estimated_elevation_deg(x.expand(2, -1, -1, -1), [30.0, -60.0], prior)
    assert found == pytest.approx(TRUE_DEG, abs=0.01)
    assert len(prior.azimuths) == 2 * len(ELEVATIONS_DEG) * len(TIMES) * DRAWS
    assert {round(azimuth) for azimuth in prior.azimuths} == {30, -60}


def test_given_pictures_stand_where_they_were_estimated_to_and_it_is_told() -> None:
    given = GivenViews(
        torch.zeros(1, SIZE, SIZE, 4), orbit_cameras([30.0], 5.0, 3.05, 40, SIZE), torch.ones(1), ("cut",)
    )
    prior = ball_prior()
    black = torch.zeros(1, SIZE, SIZE, 1)
    spec = quick_spec(images="unread.png", image_elevation="auto", image_elevation_deg=5.0)
    knowing = Knowing(prior.encode(Views(black.expand(-1, -1, -1, 3), black, black)))
    moved = stood(given, spec, knowing)
    assert moved.cameras.elevations_deg().tolist() == pytest.approx([TRUE_DEG], abs=0.1)
    assert moved.cameras.azimuths_deg().tolist() == pytest.approx([30.0], abs=1e-3)
    assert moved.notes == ("cut", "The height of the camera was estimated: 23°.")
    assert stood(given, quick_spec(images="unread.png"), knowing) is given, "nobody asked"
    kept = stood(given, spec, prior)
    assert kept.cameras is given.cameras and "cannot tell" in kept.notes[-1], "a prior without cameras"


@pytest.mark.parametrize("listed", [0.0, 100.0, -170.0])
def test_the_side_is_that_from_which_the_prior_errs_least_whatever_was_said_before(listed: float) -> None:
    x = torch.zeros(1, 4, SIZE, SIZE)
    turn = estimated_turn_deg(x, [listed], Knowing(x, sided=True))
    assert (listed + turn - TRUE_AZIMUTH_DEG + 180) % 360 - 180 == pytest.approx(0, abs=0.01)
    assert -180 <= turn < 180


def test_toybox_tells_a_low_camera_from_a_high_one() -> None:
    torch.set_num_threads(1)
    prior = load_prior("toybox", "cpu")
    obj, found = draw_object(900_000_123, "chair"), {}
    for elevation in (0.0, 40.0):
        rgba = torch.from_numpy(render_object(obj, [30.0], [elevation]).rgba)
        x = prior.encode(Views(rgba[..., :3], rgba[..., 3:], torch.zeros_like(rgba[..., 3:])))
        found[elevation] = estimated_elevation_deg(x, [30.0], prior)
    assert abs(found[0.0]) < 15 and abs(found[40.0] - 40) < 15
