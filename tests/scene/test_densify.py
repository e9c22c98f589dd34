"""Copying, splitting and dropping splats: what is conserved, and how rows are traced."""

from __future__ import annotations

import torch

from engine.scene import densify
from engine.scene.densify import (
    duplicated,
    pruned,
    refined,
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
    # a quarter turn about x: the splat's y is the world's z
    splats.quats[:] = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    many = Splats(
        **{name: tensor.repeat_interleave(4000, dim=0) for name, tensor in splats.parameters().items()}
    )
    result = split(many, torch.ones(4000, dtype=torch.bool), seeded())
    assert len(result.splats) == 8000 and result.fresh.all()
    spread = result.splats.means.std(dim=0) / torch.tensor([0.5, 0.02, 0.1])
    assert torch.allclose(spread, torch.ones(3), atol=0.04)  # 5 standard errors
    assert torch.allclose(result.splats.scales, torch.tensor([[0.5, 0.1, 0.02]]) / densify.SPLIT_SHRINK)


def test_refinement_copies_small_splits_large_and_drops_dead() -> None:
    splats = from_points(
        torch.eye(4)[:, :3] * 5, torch.zeros(4, 3), torch.tensor([0.01, 1.0, 0.01, 0.01]), 0.5
    )
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
