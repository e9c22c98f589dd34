"""Cutting objects out of flat backgrounds."""

from __future__ import annotations

import pytest
import torch

from engine.core.matte import border_colour, joined_to_border, matte
from engine.core.views import composite

GREY = torch.tensor([0.5, 0.52, 0.48])
RED = torch.tensor([0.9, 0.1, 0.1])


def disc(side: int = 64, radius: float = 0.6, soft: float = 0.05) -> torch.Tensor:
    """Alpha (side,side,1) of a disc with an edge that is ``soft`` wide; the picture's half side is 1."""
    at = (torch.arange(side) + 0.5) / side * 2 - 1
    distance = (at[:, None] ** 2 + at**2).sqrt()
    return ((radius - distance) / soft + 0.5).clamp(0, 1)[..., None]


def picture(alpha: torch.Tensor, colour: torch.Tensor = RED, background: torch.Tensor = GREY) -> torch.Tensor:
    return (alpha * colour + (1 - alpha) * background)[None]


def noise(shape: torch.Size, std: float) -> torch.Tensor:
    return std * torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("background", [GREY, torch.ones(3), torch.zeros(3)])
@pytest.mark.parametrize("std", [0.0, 0.01])
def test_a_disc_comes_out_whole_and_nothing_else(background: torch.Tensor, std: float) -> None:
    alpha = disc()
    rgb = picture(alpha, background=background)
    found = matte((rgb + noise(rgb.shape, std)).clamp(0, 1))[0, ..., 3:]
    assert (found[alpha == 1] == 1).all() and (found[alpha == 0] < 0.05).all()
    assert (found - alpha).abs().mean() < 0.03


def test_the_background_is_taken_from_the_colours_of_the_edge() -> None:
    alpha = disc(soft=0.2)
    found = matte(picture(alpha, torch.ones(3), torch.full((3,), 0.2)))[0]
    over_black = found[..., :3]
    assert (over_black <= found[..., 3:] + 1e-6).all() and over_black.min() >= 0
    again = composite(found[None, ..., :3], found[None, ..., 3:], torch.full((3,), 0.2))
    torch.testing.assert_close(again, picture(alpha, torch.ones(3), torch.full((3,), 0.2)), atol=0.06, rtol=0)


def test_a_part_of_the_background_s_colour_within_the_object_stays() -> None:
    ring, eye = disc(), disc(radius=0.2)
    rgb = picture(ring) * (1 - eye) + eye * GREY
    found = matte(rgb)[0]
    assert (found[..., 3:][eye == 1] == 1).all()
    torch.testing.assert_close(found[32, 32, :3], GREY)


def test_each_picture_has_a_background_of_its_own() -> None:
    alpha = disc()
    rgb = torch.cat([picture(alpha), picture(alpha, background=torch.ones(3))])
    torch.testing.assert_close(border_colour(rgb)[0], torch.stack([GREY, torch.ones(3)]))
    first, second = matte(rgb)[..., 3]
    assert first[0, 0] == second[0, 0] == 0 and first[32, 32] == second[32, 32] == 1


def test_an_object_that_leaves_the_picture_at_one_side() -> None:
    alpha = torch.zeros(64, 64, 1)
    alpha[40:, 20:44] = 1
    found = matte(picture(alpha))[0, ..., 3:]
    torch.testing.assert_close(found, alpha)


def test_a_picture_without_a_flat_background_stays_opaque() -> None:
    rgb = torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(1))
    found = matte(rgb)
    assert (found[..., 3] == 1).all()
    torch.testing.assert_close(found[..., :3], rgb)


def test_an_empty_picture_is_empty() -> None:
    assert (matte(GREY.expand(1, 32, 32, 3))[..., 3] == 0).all()


def test_corners_do_not_join() -> None:
    mask = torch.tensor([[[1, 0, 1], [0, 1, 0], [1, 0, 1]]], dtype=torch.bool)
    assert joined_to_border(mask).tolist() == [
        [[True, False, True], [False, False, False], [True, False, True]]
    ]
