"""Flat pictures: which camera sees which, resampling, and what guidance needs of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.core.cameras import Cameras, orbit_cameras
from engine.errors import FileFormatError, InputError
from engine.render import choose
from engine.render.canvas import nearest_pictures, render, resampled
from engine.scene.canvas import Canvas, from_rgba, noise


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def all_round(count: int, width: int = 8, height: int = 8, start_deg: float = 0.0) -> Cameras:
    return orbit_cameras([start_deg + 360 * v / count for v in range(count)], 15.0, 3.0, 40.0, width, height)


def test_cameras_all_round_see_the_pictures_in_order() -> None:
    canvas = noise(6, 8, rng())
    views = render(canvas, all_round(6))
    assert torch.equal(views.rgb, canvas.rgba[..., :3]) and torch.equal(views.alpha, canvas.rgba[..., 3:])


def test_a_camera_sees_the_picture_nearest_to_its_azimuth() -> None:
    canvas = noise(4, 8, rng())
    cameras = orbit_cameras([44.0, 46.0, 200.0, 314.0, 316.0, -91.0], 0.0, 3.0, 40.0, 8)
    assert nearest_pictures(canvas, cameras).tolist() == [0, 1, 2, 3, 0, 3]
    for start_deg in (3.0, 40.0, 100.0):  # evenly spaced cameras miss no picture
        assert sorted(nearest_pictures(canvas, all_round(4, start_deg=start_deg)).tolist()) == [0, 1, 2, 3]


def test_a_picture_is_composed_over_the_background() -> None:
    rgba = torch.tensor([0.4, 0.25, 0.1, 0.5]).expand(1, 4, 4, 4)
    views = render(from_rgba(rgba), all_round(1, 4, 4), torch.tensor([0.0, 1.0, 1.0]))
    assert torch.allclose(views.rgb, torch.tensor([0.4, 0.75, 0.6]).expand_as(views.rgb), atol=1e-5)


def test_a_canvas_made_of_pictures_shows_them() -> None:
    alpha = torch.rand(3, 6, 5, 1, generator=rng())
    rgba = torch.cat([alpha * torch.rand(3, 6, 5, 3, generator=rng(1)), alpha], dim=-1)
    assert (from_rgba(rgba).rgba - rgba).abs().max() < 0.011
    assert torch.isfinite(from_rgba(torch.zeros(1, 2, 2, 4)).raw).all()


@pytest.mark.parametrize("size", [(4, 4), (8, 6), (20, 24), (4, 24)])
def test_resampling_keeps_an_even_picture_and_the_mean(size: tuple[int, int]) -> None:
    height, width = size
    even = torch.full((2, 8, 12, 4), 0.3)
    assert torch.allclose(resampled(even, height, width), torch.full((2, height, width, 4), 0.3))
    if 8 % height == 0 and 12 % width == 0:
        picture = torch.rand(2, 8, 12, 4, generator=rng())
        assert torch.allclose(
            resampled(picture, height, width).mean(dim=(1, 2)), picture.mean(dim=(1, 2)), atol=1e-6
        )


def test_shrinking_to_half_averages_four_pixels() -> None:
    picture = torch.rand(1, 4, 6, 4, generator=rng())
    expected = picture.reshape(1, 2, 2, 3, 2, 4).mean(dim=(2, 4))
    assert torch.allclose(resampled(picture, 2, 3), expected, atol=1e-6)


def test_every_pixel_gets_the_gradient_of_the_pictures_it_is_in() -> None:
    canvas = noise(3, 8, rng())
    canvas.raw.requires_grad_()
    views = render(canvas, all_round(3)[[0, 2]], torch.ones(3))
    (gradient,) = torch.autograd.grad(views.rgb.sum(), canvas.raw)
    assert gradient[0].ne(0).all() and gradient[2].ne(0).all() and not gradient[1].any()


def test_the_gradient_is_that_of_finite_differences() -> None:
    raw = torch.randn(2, 4, 4, 4, generator=rng(), dtype=torch.float64, requires_grad=True)
    background = torch.rand(3, generator=rng(), dtype=torch.float64)
    for cameras in (all_round(2, 4, 4), all_round(2, 3, 2), all_round(2, 6, 5)):
        assert torch.autograd.gradcheck(lambda x, c=cameras: render(Canvas(x), c, background).rgb, (raw,))


@pytest.mark.parametrize("backend", ["auto", "torch", "cpu"])
def test_each_backend_draws_a_canvas(backend: str) -> None:
    canvas = noise(2, 8, rng())
    assert torch.equal(choose(canvas, backend).render(canvas, all_round(2)).rgb, canvas.rgba[..., :3])


def test_copies_and_checkpoints_hold_the_pictures() -> None:
    canvas = noise(2, 8, rng())
    copy, back = canvas.frozen_copy(), Canvas.from_arrays(canvas.to_arrays())
    canvas.raw.add_(1)
    assert torch.equal(copy.raw, back.raw) and torch.equal(copy.raw + 1, canvas.raw)


def test_wrong_shapes_and_broken_checkpoints_are_told() -> None:
    with pytest.raises(InputError, match="shape"):
        Canvas(torch.zeros(2, 8, 8, 3))
    with pytest.raises(FileFormatError, match="lacks"):
        Canvas.from_arrays({})
    with pytest.raises(FileFormatError, match="broken"):
        Canvas.from_arrays({"raw": np.zeros((2, 8))})
