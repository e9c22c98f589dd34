"""The voxel field and its occupancy: interpolation, starts, growth, what checkpoints hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.errors import FileFormatError, InputError
from engine.scene.field import Field, blob, from_density, node_positions, update_occupancy
from engine.scene.occupancy import FARTHEST, largest_in_cells, occupancy_from


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def linear(resolution: int) -> Field:
    """Raw values that are linear in x, y and z, each channel otherwise."""
    slopes = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.2, -0.7], [1.1, 0.4, 0.9], [-0.6, 0.8, 0.1]])
    raw = node_positions(resolution) @ slopes.T + torch.tensor([0.2, -0.1, 0.4, 0.3])
    return Field(raw[..., 0].contiguous(), raw[..., 1:].contiguous())


def lumps(resolution: int = 12) -> Field:
    shape = (resolution, resolution, resolution)
    return Field(4 * torch.randn(shape, generator=rng(1)) - 4, torch.randn(*shape, 3, generator=rng(2)))


def points(count: int = 500) -> Tensor:
    return 2 * torch.rand(count, 3, generator=rng(3)) - 1


def test_nodes_hold_their_own_values() -> None:
    field = lumps()
    density, rgb = field.query(node_positions(12).reshape(-1, 3))
    assert torch.allclose(density, F.softplus(field.raw_density).reshape(-1), atol=1e-4)
    assert torch.allclose(rgb, field.raw_colour.sigmoid().reshape(-1, 3), atol=1e-5)


def test_between_nodes_raw_values_are_trilinear() -> None:
    at = torch.tensor([[-0.25, 0.5, 0.75]])
    share = (at[0] + 1) / 2  # one voxel fills the cube
    raw = torch.randn(2, 2, 2, generator=rng())
    part = torch.stack([1 - share, share])  # (2,3): of the lower and the upper node on each axis
    expected = torch.einsum("ijk,i,j,k->", raw, *part.unbind(dim=1))
    density, _ = Field(raw, torch.zeros(2, 2, 2, 3)).query(at)
    assert torch.allclose(density, F.softplus(expected)[None], atol=1e-6)


def test_colours_stay_between_0_and_1_and_densities_above_0() -> None:
    wild = Field(1e4 * torch.randn(6, 6, 6, generator=rng()), 1e4 * torch.randn(6, 6, 6, 3, generator=rng()))
    density, rgb = wild.query(points())
    assert density.min() >= 0 and rgb.min() >= 0 and rgb.max() <= 1 and torch.isfinite(density).all()


@pytest.mark.parametrize("resolution", [13, 24, 40])
def test_upsampling_keeps_a_linear_field_exactly(resolution: int) -> None:
    coarse, fine = linear(9), linear(9).upsampled(resolution)
    assert fine.resolution == resolution
    assert torch.allclose(fine.raw_density, linear(resolution).raw_density, atol=1e-5)
    assert torch.allclose(fine.raw_colour, linear(resolution).raw_colour, atol=1e-5)
    for found, wanted in zip(fine.query(points()), coarse.query(points())):
        assert torch.allclose(found, wanted, atol=1e-5)


def test_an_upsampled_field_is_a_fresh_leaf_that_knows_what_is_empty() -> None:
    field = blob(12, 0.3, rng())
    field.raw_density.requires_grad_()
    finer = replace(field, occupancy=update_occupancy(field, None, 0)).upsampled(20)
    assert finer.raw_density.is_leaf and not finer.raw_density.requires_grad
    assert finer.occupancy is not None and (finer.occupancy.distance > 0).any()
    assert field.upsampled(20).occupancy is None


def test_normals_point_down_the_density() -> None:
    slopes = torch.tensor([1.0, -2.0, 0.5])
    normals = linear(9).normals(points())
    assert torch.allclose(normals, -(slopes / slopes.norm()).expand_as(normals), atol=1e-3)
    flat = Field(torch.ones(5, 5, 5), torch.zeros(5, 5, 5, 3))
    assert not flat.normals(points()).any()


def test_a_blob_is_densest_in_its_middle_and_ends_at_its_radius() -> None:
    field = blob(41, 0.5, rng())
    along_x = torch.stack([torch.linspace(0, 1, 21), torch.zeros(21), torch.zeros(21)], dim=1)
    density, rgb = field.query(along_x)
    assert (density.diff() < 0).all() and abs(float(density[0]) - 10) < 0.01
    assert torch.allclose(density[10], torch.tensor(2.0).log(), atol=0.01)  # raw 0 at the radius
    assert (rgb - 0.5).abs().max() < 0.15


def test_a_field_from_densities_has_those_densities() -> None:
    density, rgb = (
        50 * torch.rand(7, 7, 7, generator=rng()),
        torch.rand(7, 7, 7, 3, generator=rng()).clamp(0.02, 0.98),
    )
    found_density, found_rgb = from_density(density, rgb).query(node_positions(7).reshape(-1, 3))
    assert torch.allclose(found_density, density.reshape(-1), atol=1e-3)
    assert torch.allclose(found_rgb, rgb.reshape(-1, 3), atol=1e-4)
    empty, grey = from_density(torch.zeros(3, 3, 3)).query(torch.zeros(1, 3))
    assert 0 < empty < 1e-5 and torch.allclose(grey, torch.full((1, 3), 0.5))


def test_a_frozen_copy_does_not_follow() -> None:
    field = lumps()
    field.raw_density.requires_grad_()
    copy = field.frozen_copy()
    with torch.no_grad():
        for tensor in field.parameters().values():
            tensor += 1
    assert torch.equal(copy.raw_density, lumps().raw_density) and torch.equal(
        copy.raw_colour, lumps().raw_colour
    )
    assert not copy.raw_density.requires_grad


@pytest.mark.parametrize("known", [False, True], ids=["unknown", "occupancy"])
def test_arrays_bring_the_field_back(known: bool) -> None:
    field = lumps()
    field = replace(field, occupancy=update_occupancy(field, None, 0)) if known else field
    back = Field.from_arrays(field.to_arrays())
    assert all(torch.equal(tensor, back.parameters()[name]) for name, tensor in field.parameters().items())
    assert (back.occupancy is None) is not known
    if known:
        assert torch.equal(back.occupancy.values, field.occupancy.values)
        assert torch.equal(back.occupancy.distance, field.occupancy.distance)


def test_each_parameter_has_a_learning_rate() -> None:
    assert lumps().learning_rates().keys() == lumps().parameters().keys()
    assert all(rate > 0 for rate in lumps().learning_rates().values())


def test_wrong_shapes_and_broken_checkpoints_are_told() -> None:
    with pytest.raises(InputError, match="shapes"):
        Field(torch.zeros(4, 4, 5), torch.zeros(4, 4, 4, 3))
    with pytest.raises(FileFormatError, match="raw_colour"):
        Field.from_arrays({"raw_density": np.zeros((3, 3, 3))})
    with pytest.raises(FileFormatError, match="broken"):
        Field.from_arrays({"raw_density": np.zeros((3, 3, 3)), "raw_colour": np.zeros((3, 3, 3, 4))})


# occupancy


def test_no_density_hides_in_a_cell_that_is_called_empty() -> None:
    for resolution in (5, 12, 33, 48):
        field = lumps(resolution)
        occupancy = update_occupancy(field, None, 0)
        sample = points(20_000)
        density, _ = field.query(sample)
        seen = density * field.voxel > min(0.01, float(occupancy.values.mean())) * 1.001
        assert seen.any() and occupancy.contains(sample)[seen].all()


def test_bounds_of_cells_that_are_voxels_are_the_largest_corners() -> None:
    nodes = torch.randn(5, 5, 5, generator=rng())
    corners = torch.stack(
        [nodes[i : i + 4, j : j + 4, k : k + 4] for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    )
    assert torch.equal(largest_in_cells(nodes, 4), corners.amax(dim=0))


def test_values_fade_by_a_twentieth_at_each_refresh() -> None:
    thick, thin = (from_density(torch.full((9, 9, 9), density)) for density in (4.0, 0.0))
    first = update_occupancy(thick, None, 0)
    assert torch.allclose(first.values, torch.tensor(4.0 * thick.voxel), atol=1e-5)
    second = update_occupancy(thin, first, 16)
    third = update_occupancy(thin, second, 32)
    assert torch.allclose(third.values, 0.95**2 * first.values)
    assert torch.allclose(update_occupancy(thick, third, 48).values, first.values)


def test_occupancy_is_refreshed_on_schedule_only() -> None:
    field = lumps()
    first = update_occupancy(field, None, 7)
    assert update_occupancy(field, first, 15) is first
    assert update_occupancy(field, first, 16) is not first


def test_a_cell_is_occupied_above_the_smaller_of_mean_and_one_percent() -> None:
    values = torch.zeros(4, 4, 4)
    values[0, 0, 0], values[3, 3, 3] = 0.0064, 0.00005  # mean just above 0.0001
    assert (occupancy_from(values).distance == 0).nonzero().tolist() == [[0, 0, 0]]
    values[0, 0, 0], values[0, 0, 1], values[0, 0, 2] = 100.0, 0.011, 0.009  # a large mean
    assert (occupancy_from(values).distance == 0).nonzero().tolist() == [[0, 0, 0], [0, 0, 1]]


def test_distances_are_those_of_a_king_on_a_chessboard() -> None:
    occupied = torch.zeros(20, 20, 20)
    occupied[2, 3, 4] = occupied[15, 0, 19] = 1.0
    cells = torch.stack(torch.meshgrid(*[torch.arange(20)] * 3, indexing="ij"), dim=-1)
    brute = torch.stack(
        [(cells - torch.tensor(place)).abs().amax(dim=-1) for place in ((2, 3, 4), (15, 0, 19))]
    ).amin(dim=0)
    assert torch.equal(occupancy_from(occupied).distance.long(), brute.clamp(max=FARTHEST))


def test_what_is_not_a_number_does_not_vanish() -> None:
    field = lumps()
    field.raw_density[6, 6, 6] = float("nan")
    assert update_occupancy(field, None, 0).contains(node_positions(12)[6, 6, 6])
