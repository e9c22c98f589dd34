"""Regularisers against numbers worked out by hand and against brute force."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.loop.terms.density import depth_variance, distortion, opaqueness, orientation, sparsity, total_variation


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_sparsity_is_a_tenth_of_nothing_and_grows_with_what_is_drawn() -> None:
    assert math.isclose(sparsity(torch.zeros(2, 4, 4, 1)), 0.1, rel_tol=1e-6)
    assert math.isclose(sparsity(torch.tensor([0.0, math.sqrt(0.08)])), (0.1 + 0.3) / 2, rel_tol=1e-6)
    alpha = torch.zeros(5, requires_grad=True)
    sparsity(alpha).backward()
    assert not alpha.grad.any()  # no kink at 0


def test_opaqueness_is_the_entropy_of_a_coin() -> None:
    assert math.isclose(opaqueness(torch.full((7,), 0.5)), math.log(2), rel_tol=1e-6)
    assert math.isclose(opaqueness(torch.tensor([0.25])), 0.25 * math.log(4) + 0.75 * math.log(4 / 3), rel_tol=1e-6)
    assert opaqueness(torch.tensor([0.0, 1.0])) < 0.01
    alpha = torch.tensor([0.3, 0.7], requires_grad=True)
    opaqueness(alpha).backward()
    assert torch.allclose(2 * alpha.grad, torch.log((1 - alpha) / alpha).detach())  # away from the middle, both ways


def test_total_variation_of_a_ramp_is_its_mean_slope() -> None:
    x, y, z = torch.meshgrid(*[torch.arange(6.0)] * 3, indexing="ij")
    assert math.isclose(total_variation(2 * x - 3 * y + z), (2 + 3 + 1) / 3, rel_tol=1e-6)
    assert total_variation(torch.stack([x * 0 + 4, x * 0 - 1], dim=-1)) == 0
    step = (x >= 3).float()
    assert math.isclose(total_variation(step), 36 / (5 * 36) / 3, rel_tol=1e-6)


def test_distortion_of_known_weights() -> None:
    weights, edges = torch.tensor([[0.2, 0.3]], dtype=torch.float64), torch.tensor([[0.0, 1.0, 2.0]], dtype=torch.float64)
    assert math.isclose(distortion(weights, edges), 0.04 / 3 + 0.09 / 3 + 2 * 0.06, rel_tol=1e-12)
    weights = torch.tensor([[0.393469, 0.383401, 0.049356]], dtype=torch.float64)
    edges = torch.tensor([[0.0, 0.5, 1.0, 1.5]], dtype=torch.float64)
    assert math.isclose(distortion(weights, edges), 0.259328, abs_tol=2e-6)


def test_distortion_is_the_mean_distance_of_pairs_of_points() -> None:
    weights, edges = random(3, 4), random(3, 5, seed=1).sort(dim=1).values
    parts = 400
    inner = (torch.arange(parts, dtype=torch.float64) + 0.5) / parts
    points = (edges[:, :-1, None] + inner * edges.diff(dim=1)[..., None]).flatten(1)
    mass = (weights[..., None] / parts).expand(-1, -1, parts).flatten(1)
    brute = torch.stack([m @ (p[:, None] - p).abs() @ m for p, m in zip(points, mass)])
    assert torch.allclose(distortion(weights, edges), brute, rtol=1e-4)


def test_depth_variance_is_that_of_the_normalised_weights() -> None:
    weights, depths = torch.tensor([[0.2, 0.6], [0.1, 0.2]]), torch.tensor([[1.0, 3.0], [0.0, 100.0]])
    assert math.isclose(depth_variance(weights, depths), 0.25 * 0.75 * 2.0**2, rel_tol=1e-6)  # the second ray is too clear
    assert depth_variance(torch.tensor([[0.9, 0.0]]), torch.tensor([[2.0, 7.0]])) == 0
    clear = torch.full((2, 3), 0.1, requires_grad=True)
    depth_variance(clear, torch.rand(2, 3)).backward()
    assert not clear.grad.any()


def test_orientation_counts_normals_that_point_away_and_moves_only_them() -> None:
    directions = torch.tensor([[0.0, 0.0, 1.0]])
    normals = torch.tensor([[[0.0, 0.0, -1.0], [0.0, 0.8, 0.6], [0.0, 0.0, 1.0]]], requires_grad=True)
    weights = torch.tensor([[0.5, 0.25, 0.1]], requires_grad=True)
    loss = orientation(weights, normals, directions)
    assert math.isclose(loss.detach(), (0.25 * 0.36 + 0.1) / 3, rel_tol=1e-6)
    loss.backward()
    assert weights.grad is None and normals.grad[0, 1:].any() and not normals.grad[0, 0].any()


def test_gradients_are_those_of_finite_differences() -> None:
    weights, edges = random(2, 5).requires_grad_(), random(2, 6, seed=1).sort(dim=1).values.requires_grad_()
    assert torch.autograd.gradcheck(distortion, (weights, edges))
    assert torch.autograd.gradcheck(depth_variance, (weights, random(2, 5, seed=2).requires_grad_()))
