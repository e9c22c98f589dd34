"""The one place where all distillation losses get their normalisation."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from engine.core.gradient import CLIPPINGS, clip_backward, clipped_share, loss_from_gradient, pixel_size


@pytest.mark.parametrize("batch", [1, 2, 8])  # powers of two, by which division is exact
def test_the_loss_has_exactly_the_given_gradient_over_the_batch(batch: int) -> None:
    generator = torch.Generator().manual_seed(batch)
    x = torch.zeros(batch, 4, 6, 6, dtype=torch.float64, requires_grad=True)
    gradient = torch.randn(batch, 4, 6, 6, generator=generator, dtype=torch.float64)
    loss_from_gradient(x, gradient).backward()
    assert torch.equal(x.grad, gradient / batch)


def test_it_does_so_wherever_x_is() -> None:
    generator = torch.Generator().manual_seed(0)
    x = (100 * torch.randn(2, 5, generator=generator, dtype=torch.float64)).requires_grad_()
    gradient = torch.randn(2, 5, generator=generator, dtype=torch.float64)
    loss = loss_from_gradient(x, gradient)
    loss.backward()
    assert torch.allclose(x.grad, gradient / 2, rtol=0, atol=1e-13)
    assert math.isclose(loss.detach(), 0.5 * float(gradient.square().sum()) / 2, rel_tol=1e-10)


def test_the_gradient_reaches_what_made_x_and_stops_at_what_made_it() -> None:
    scene, teacher = torch.ones(2, 3, requires_grad=True), torch.ones(2, 3, requires_grad=True)
    loss_from_gradient(2 * scene, 3 * teacher).backward()
    assert torch.equal(scene.grad, torch.full((2, 3), 3.0)) and teacher.grad is None


def test_values_that_are_not_finite_push_nothing() -> None:
    x = torch.zeros(1, 4, requires_grad=True)
    loss = loss_from_gradient(x, torch.tensor([[math.nan, math.inf, -math.inf, 2.0]]))
    loss.backward()
    assert torch.isfinite(loss) and torch.equal(x.grad, torch.tensor([[0.0, 0.0, 0.0, 2.0]]))


NORMS = ["norm", "peak"]
EXAMPLE = [0.3, -0.05, 0.2]


def sent_back(gradient: torch.Tensor, limit: float, by: str) -> torch.Tensor:
    """What is left of ``gradient`` (...,C) on the other side of the pictures."""
    pictures = torch.zeros_like(gradient, requires_grad=True)
    clip_backward(pictures, limit, by).backward(gradient)
    return pictures.grad


def random_gradient(seed: int = 0) -> torch.Tensor:
    """Pixels of very different sizes."""
    generator = torch.Generator().manual_seed(seed)
    size = 10 ** (6 * torch.rand(2, 8, 8, 1, generator=generator, dtype=torch.float64) - 4)
    return size * torch.randn(2, 8, 8, 3, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("value", [0.1, -0.05, 0.1]),
        ("norm", [0.0824, -0.0137, 0.0549]),
        ("peak", [0.1, -0.0167, 0.0667]),
        ("off", EXAMPLE),
    ],
)
def test_one_pixel_worked_out_by_hand(by: str, expected: list[float]) -> None:
    assert sent_back(torch.tensor([EXAMPLE]), 0.1, by).flatten().tolist() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("by", CLIPPINGS)
def test_clipping_leaves_the_pictures_alone(by: str) -> None:
    pictures = random_gradient()
    assert torch.equal(clip_backward(pictures, 0.1, by), pictures)
    assert (clip_backward(pictures, 0.1, by) is pictures) == (by == "off")


@pytest.mark.parametrize("by", ["value", *NORMS])
def test_the_largest_pixel_ends_at_the_limit_and_small_ones_are_kept(by: str) -> None:
    gradient = random_gradient()
    left, size = sent_back(gradient, 0.1, by), pixel_size(gradient, by)
    assert pixel_size(left, by).max().item() == pytest.approx(0.1, rel=1e-12)
    small = (size <= 0.1).expand_as(gradient)
    assert 0 < small.sum() < small.numel() and torch.equal(left[small], gradient[small])
    assert clipped_share(gradient, 0.1, by) == pytest.approx((size > 0.1).double().mean().item())


@pytest.mark.parametrize("by", NORMS)
def test_the_norms_keep_every_direction_and_value_does_not(by: str) -> None:
    gradient = random_gradient()
    assert torch.allclose(
        torch.cosine_similarity(sent_back(gradient, 0.1, by), gradient, dim=-1).min(), torch.ones(()).double()
    )
    assert torch.cosine_similarity(sent_back(gradient, 0.1, "value"), gradient, dim=-1).min() < 0.99


@pytest.mark.parametrize("by", ["value", *NORMS])
def test_a_higher_limit_never_leaves_less(by: str) -> None:
    gradient = random_gradient()
    lengths = [sent_back(gradient, limit, by).norm(dim=-1) for limit in (0.01, 0.1, 1.0, math.inf)]
    assert all((low <= high + 1e-15).all() for low, high in pairwise(lengths))
    assert torch.equal(sent_back(gradient, math.inf, by), gradient)


@pytest.mark.parametrize("by", ["value", *NORMS])
def test_a_scaled_loss_under_a_scaled_limit_is_the_same_loss(by: str) -> None:
    gradient, scale = random_gradient(), 1024.0
    assert torch.equal(sent_back(scale * gradient, scale * 0.1, by) / scale, sent_back(gradient, 0.1, by))


@pytest.mark.parametrize("by", ["value", *NORMS])
def test_nothing_stays_nothing_and_what_is_not_finite_becomes_nothing(by: str) -> None:
    gradient = torch.tensor([[0.0, 0.0, 0.0], [math.nan, 0.0, 0.05], [math.inf, 0.05, -math.inf]])
    left = sent_back(gradient, 0.1, by)
    assert torch.equal(left[0], torch.zeros(3)) and left[1].tolist() == pytest.approx([0, 0, 0.05])
    assert left[2].tolist() == pytest.approx([0, 0.05, 0])


@pytest.mark.parametrize("by", ["off", "value", *NORMS])
def test_one_pixel_that_an_encoder_blows_up_no_longer_spoils_the_run(by: str) -> None:
    """z = D x with one entry of D at 1e4; plain descent on a pull of slope k to 6.3 from x = 2, rate 0.5."""
    gain, k, rate = torch.ones(16, 1, dtype=torch.float64), 0.408, 0.5
    gain[3] = 1e4
    x = torch.full((16, 1), 2.0, dtype=torch.float64)
    for _ in range(3 if by == "off" else 500):
        x.requires_grad_()
        z = gain * clip_backward(x, 0.1, by)
        loss_from_gradient(z[None], k * (z[None].detach() - 6.3)).backward()
        x = (x - rate * x.grad).detach()
    if by == "off":
        assert x[3].abs() > 1e20
        return
    regular = torch.cat([x[:3], x[4:]])
    assert torch.allclose(regular, torch.full_like(regular, 6.3), atol=1e-3)
    assert abs(x[3].item() - 6.3e-4) <= rate * 0.1
