"""Copying, splitting, dropping and moving splats: what is conserved, and how rows are traced."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from engine.scene import densify
from engine.scene.densify import (
    capped,
    duplicated,
    grown,
    opacity_mass,
    pruned,
    refined,
    relocated,
    shared_opacity_and_shrink,
    split,
)
from engine.scene.splats import Splats, from_points, random_ball


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def cloud(n: int = 40) -> Splats:
    splats = random_ball(n, 1.0, 0.1, seeded())
    for tensor in splats.parameters().values():
        tensor += torch.randn(tensor.shape, generator=seeded(1))
    return splats


def composed(opacity: Tensor, scale: Tensor, copies: Tensor, x: Tensor) -> Tensor:
    """Alpha (M,X) at offsets x (X,) from the middle of ``copies`` (M,) equal splats on one spot."""
    alpha = opacity[:, None] * torch.exp(-0.5 * (x / scale[:, None]) ** 2)
    return 1 - (1 - alpha) ** copies[:, None]


def test_shared_splats_keep_peak_and_line_integral() -> None:
    """The trapezoidal rule is exact to rounding for Gaussians, so the integrals are compared to 1e-10."""
    opacity, copies = torch.tensor([0.7, 0.7, 0.95, 0.3, 0.999, 0.6], dtype=torch.float64), torch.tensor([2, 5, 2, 1, 12, 51])
    each, shrink = shared_opacity_and_shrink(opacity, copies)
    x = torch.linspace(-12, 12, 4001, dtype=torch.float64)
    before = composed(opacity, torch.ones(6), torch.ones(6), x)
    after = composed(each, shrink, copies, x)
    assert torch.allclose(after[:, 2000], opacity, rtol=0, atol=1e-12)
    assert torch.allclose(torch.trapezoid(after, x), torch.trapezoid(before, x), rtol=0, atol=1e-10)


def test_shared_splats_follow_the_papers_double_sum() -> None:
    opacity, copies = 0.7, 5
    each = 1 - (1 - opacity) ** (1 / copies)
    pairs = [(i, k) for i in range(1, copies + 1) for k in range(i)]
    total = sum(math.comb(i - 1, k) * (-1) ** k * each ** (k + 1) / math.sqrt(k + 1) for i, k in pairs)
    found = shared_opacity_and_shrink(torch.tensor([opacity]), torch.tensor([copies]))
    assert [float(f) for f in found] == pytest.approx([each, opacity / total], rel=1e-6)


def test_relocation_empties_the_dead_onto_the_living() -> None:
    splats = cloud()
    splats.logit_opacities[:10] = -20
    result = relocated(splats, seeded())
    assert len(result.splats) == 40 and (result.splats.opacities > densify.DEAD * 0.99).all()
    assert (result.source[:10] >= 10).all() and torch.equal(result.source[10:], torch.arange(10, 40))
    assert torch.equal(result.splats.means, splats.means[result.source])
    hosts = set(result.source[:10].tolist())
    assert {i for i in range(40) if result.fresh[i]} == set(range(10)) | hosts
    for host in hosts:
        family = result.source == host
        remaining = (1 - result.splats.opacities[family]).prod()
        assert float(1 - remaining) == pytest.approx(float(splats.opacities[host]), abs=1e-4)
    untouched = ~result.fresh
    for name, tensor in result.splats.parameters().items():
        assert torch.equal(tensor[untouched], splats.parameters()[name][untouched])


def test_relocation_prefers_the_opaque() -> None:
    splats = from_points(torch.zeros(1002, 3), torch.zeros(1002, 3), 0.1, 0.5)
    splats.logit_opacities[:] = -20
    splats.logit_opacities[0], splats.logit_opacities[1] = torch.logit(torch.tensor(0.8)), torch.logit(torch.tensor(0.2))
    share = (relocated(splats, seeded()).source[2:] == 0).float().mean()
    assert float(share) == pytest.approx(0.8, abs=0.05)  # 4 standard errors of 1000 draws


def test_relocation_leaves_a_scene_without_dead_or_living_alone() -> None:
    for opacity in (0.5, 1e-4):
        splats = from_points(torch.randn(5, 3), torch.rand(5, 3), 0.1, opacity)
        result = relocated(splats, seeded())
        assert not result.fresh.any() and torch.equal(result.splats.logit_opacities, splats.logit_opacities)


@pytest.mark.parametrize(("cap", "expected"), [(1000, 42), (41, 41), (40, 40), (10, 40)])
def test_growth_stops_at_the_cap(cap: int, expected: int) -> None:
    result = grown(cloud(), cap, seeded())
    assert len(result.splats) == expected == len(result.source)


def test_copies_are_appended_and_equal() -> None:
    splats, mask = cloud(), torch.arange(40) % 4 == 0
    result = duplicated(splats, mask)
    assert torch.equal(result.source, torch.cat([torch.arange(40), torch.arange(0, 40, 4)]))
    assert torch.equal(result.fresh, torch.arange(50) >= 40)
    for name, tensor in result.splats.parameters().items():
        assert torch.equal(tensor, splats.parameters()[name][result.source])


def test_halves_of_a_split_are_drawn_from_their_parent() -> None:
    """Whitened by the parent's own axes, the offsets of many halves are standard normal."""
    splats = from_points(torch.zeros(1, 3), torch.zeros(1, 3), 0.1, 0.5)
    splats.log_scales[:] = torch.tensor([[0.5, 0.1, 0.02]]).log()
    splats.quats[:] = torch.tensor([[1.0, 1.0, 0.0, 0.0]])  # a quarter turn about x: the splat's y is the world's z
    many = Splats(**{name: tensor.repeat_interleave(4000, dim=0) for name, tensor in splats.parameters().items()})
    result = split(many, torch.ones(4000, dtype=torch.bool), seeded())
    assert len(result.splats) == 8000 and result.fresh.all()
    spread = result.splats.means.std(dim=0) / torch.tensor([0.5, 0.02, 0.1])
    assert torch.allclose(spread, torch.ones(3), atol=0.04)  # 5 standard errors
    assert torch.allclose(result.splats.scales, torch.tensor([[0.5, 0.1, 0.02]]) / densify.SPLIT_SHRINK)


def test_refinement_copies_small_splits_large_and_drops_dead() -> None:
    splats = from_points(torch.eye(4)[:, :3] * 5, torch.zeros(4, 3), torch.tensor([0.01, 1.0, 0.01, 0.01]), 0.5)
    splats.logit_opacities[3] = -20
    result = refined(splats, torch.tensor([1.0, 1.0, 0.0, 0.0]), seeded(), threshold=0.5, size=0.1)
    assert sorted(result.source.tolist()) == [0, 0, 1, 1, 2]
    assert result.fresh[result.source == 1].all() and not result.fresh[result.source == 2].any()
    assert result.fresh[result.source == 0].sum() == 1
    sizes = result.splats.scales.amax(1)[result.source == 1]
    assert torch.allclose(sizes, torch.tensor(1 / densify.SPLIT_SHRINK))


def test_optimiser_moments_follow_their_rows() -> None:
    splats = cloud(6)
    moment = torch.arange(6.0)[:, None].expand(6, 3) + 1
    first = pruned(splats, torch.tensor([True, False, True, True, False, True]))
    both = first.then(duplicated(first.splats, torch.tensor([False, True, False, False])))
    assert both.source.tolist() == [0, 2, 3, 5, 2]
    assert both.carry(moment)[:, 0].tolist() == [1, 3, 4, 6, 0]


def test_screen_gradients_do_not_depend_on_resolution_or_batch() -> None:
    """A mean loss over twice the pixels halves pixel gradients; over twice the views it halves each view's."""
    means2d = torch.zeros(2, 3, 2, requires_grad=True)
    means2d.grad = torch.tensor([[[3.0, 4.0], [0, 0], [1, 0]], [[0, 0], [0, 0], [1, 0]]])
    sums, counts = densify.screen_gradients(means2d, 8, 8)
    assert torch.allclose(sums, torch.tensor([40.0, 0.0, 16.0])) and counts.tolist() == [1, 0, 2]
    finer = torch.zeros(4, 3, 2, requires_grad=True)
    finer.grad = means2d.grad.repeat(2, 1, 1) / 4
    sums_finer, counts_finer = densify.screen_gradients(finer, 16, 16)
    seen = counts > 0
    assert torch.allclose(sums_finer[seen] / counts_finer[seen], sums[seen] / counts[seen])


def test_opacity_mass_of_a_disc_facing_the_camera() -> None:
    splats = from_points(torch.zeros(1, 3), torch.zeros(1, 3), 1.0, 0.25)
    splats.log_scales[:] = torch.tensor([[0.3, 0.01, 0.2]]).log()
    assert float(opacity_mass(splats)) == pytest.approx(2 * math.pi * 0.25 * 0.3 * 0.2, rel=1e-5)


def test_capping_fades_all_alike_and_only_when_needed() -> None:
    splats = cloud()
    mass = float(opacity_mass(splats))
    faded = capped(splats, mass / 3)
    assert torch.allclose(faded.opacities, splats.opacities / 3, rtol=1e-4)
    assert float(opacity_mass(faded)) == pytest.approx(mass / 3, rel=1e-4)
    assert capped(splats, mass * 1.01) is splats
