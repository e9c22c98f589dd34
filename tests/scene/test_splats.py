"""Splats as data: activations, starts, copies and checkpoints."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine.errors import FileFormatError, InputError
from engine.scene.splats import LEARNING_RATES, Splats, covariances, from_points, random_ball, smoothed


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_activations_invert_the_raw_numbers() -> None:
    points, colours = torch.randn(6, 3, generator=seeded()), torch.rand(6, 3, generator=seeded())
    splats = from_points(points, colours, torch.linspace(0.1, 0.6, 6), 0.3)
    assert torch.equal(splats.means, points)
    assert torch.allclose(splats.scales, torch.linspace(0.1, 0.6, 6)[:, None].expand(6, 3))
    assert torch.allclose(splats.opacities, torch.full((6,), 0.3))
    assert torch.allclose(splats.rgb, colours.clamp(0.01, 0.99), atol=1e-6)
    splats.quats.mul_(5)
    assert torch.allclose(splats.unit_quats, torch.tensor([1.0, 0, 0, 0]).expand(6, 4))


def test_pure_black_and_white_keep_a_slope() -> None:
    splats = from_points(torch.zeros(2, 3), torch.tensor([[0.0] * 3, [1.0] * 3]), 0.1, 0.5)
    splats.colours.requires_grad_()
    splats.rgb.sum().backward()
    assert (splats.colours.grad > 0.005).all()


def test_covariance_of_a_quarter_turn_swaps_two_axes() -> None:
    splats = from_points(torch.zeros(1, 3), torch.zeros(1, 3), 1.0, 0.5)
    splats.log_scales[:], splats.quats[:] = (
        torch.tensor([[1.0, 2.0, 3.0]]).log(),
        torch.tensor([[3.0, 3.0, 0.0, 0.0]]),
    )
    assert torch.allclose(covariances(splats)[0], torch.diag(torch.tensor([1.0, 9.0, 4.0])), atol=1e-5)


def test_smoothing_adds_to_every_covariance() -> None:
    splats = random_ball(6, 1, 0.1, seeded())
    splats.log_scales.add_(torch.randn(6, 3, generator=seeded()))
    splats.quats.add_(torch.randn(6, 4, generator=seeded()))
    assert torch.allclose(
        covariances(smoothed(splats, 0.3)), covariances(splats) + 0.09 * torch.eye(3), atol=1e-5
    )


def test_random_ball_is_even() -> None:
    """An even ball has half its points within the cube root of a half of its radius, and its centre at the
    origin.
    """
    radius, n = 0.55, 20000
    splats = random_ball(n, radius, 0.045, seeded())
    distances = splats.means.norm(dim=1)
    assert distances.max() <= radius
    # 4 standard errors
    assert (distances < radius * 0.5 ** (1 / 3)).float().mean() == pytest.approx(0.5, abs=0.015)
    assert splats.means.mean(0).abs().max() < 4 * radius / math.sqrt(5 * n)
    assert torch.allclose(splats.scales, torch.tensor(0.045))


def test_random_ball_follows_its_generator_alone() -> None:
    torch.manual_seed(1)
    first = random_ball(10, 1, 0.1, seeded(3)).means
    torch.manual_seed(2)
    assert torch.equal(first, random_ball(10, 1, 0.1, seeded(3)).means)
    assert not torch.equal(first, random_ball(10, 1, 0.1, seeded(4)).means)


def test_each_parameter_has_a_learning_rate() -> None:
    splats = random_ball(4, 1, 0.1, seeded())
    assert list(splats.learning_rates()) == list(splats.parameters()) == list(LEARNING_RATES)


def test_frozen_copy_does_not_follow_the_original() -> None:
    splats = random_ball(4, 1, 0.1, seeded())
    splats.means.requires_grad_()
    copy, before = splats.frozen_copy(), splats.means.detach().clone()
    with torch.no_grad():
        splats.means.add_(1)
    assert torch.equal(copy.means, before) and not copy.means.requires_grad


def test_checkpoint_round_trip() -> None:
    splats = random_ball(4, 1, 0.1, seeded())
    arrays = splats.to_arrays()
    back = Splats.from_arrays(arrays)
    splats.means.add_(1)
    for name, tensor in back.parameters().items():
        assert np.array_equal(tensor.numpy(), arrays[name])
    assert not torch.equal(back.means, splats.means)


def test_broken_checkpoints_are_refused() -> None:
    arrays = random_ball(4, 1, 0.1, seeded()).to_arrays()
    with pytest.raises(FileFormatError, match="lacks quats"):
        Splats.from_arrays({k: v for k, v in arrays.items() if k != "quats"})
    with pytest.raises(FileFormatError, match="shapes"):
        Splats.from_arrays({**arrays, "means": arrays["means"][:3]})


@pytest.mark.parametrize(
    ("scale", "opacity"), [(0.0, 0.5), (-1.0, 0.5), (0.1, 0.0), (0.1, 1.0), (float("nan"), 0.5)]
)
def test_impossible_starts_are_refused(scale: float, opacity: float) -> None:
    with pytest.raises(InputError, match="opacity"):
        from_points(torch.zeros(2, 3), torch.zeros(2, 3), scale, opacity)
