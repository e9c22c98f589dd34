"""The one place where all distillation losses get their normalisation."""

from __future__ import annotations

import math

import pytest
import torch

from engine.math.gradient import loss_from_gradient


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
