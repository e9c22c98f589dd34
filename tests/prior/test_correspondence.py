"""Attention along surfaces: silent at its start to the bit, blind to views that do not see a point, and in
order.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from engine.core.cameras import orbit_cameras
from engine.core.correspondences import correspondences
from engine.editing.texturing import Paint, joined, prepared
from engine.errors import FileFormatError, InputError, MissingError
from engine.prior.analytic import AnalyticPrior, gaussian
from engine.prior.registry import load_prior
from engine.prior.toybox.correspondence import (
    CorrespondenceAdapter,
    CorrespondenceBlock,
    Neighbourhoods,
    attention_weights,
    load_correspondence,
    save_correspondence,
)
from engine.prior.toybox.info import CORRESPONDENCE, WEIGHTS
from engine.prior.toybox.pipeline_files import base_digest
from engine.prior.toybox.prior import load_toybox
from engine.toybox.training.correspondence_task import Orbits, cleaned, drawn, views_apart
from tests.core.test_correspondences import around, wall
from tests.editing.test_bad_input import box, shape_of

TOYBOX = Path(__file__).resolve().parents[2] / "presets" / "priors" / "toybox"


@pytest.fixture(scope="module")
def prior():
    return load_prior("toybox")


def loud(seed: int = 0) -> CorrespondenceAdapter:
    """An adapter whose last layers are not zero."""
    torch.manual_seed(seed)
    adapter = CorrespondenceAdapter()
    for block in (adapter.middle, adapter.fine):
        nn.init.normal_(block.out.weight, std=0.2)
    return adapter.requires_grad_(False)


def neighbourhoods(side: int = 16) -> Neighbourhoods:
    cameras = around(0.0, 15.0, 30.0)
    return Neighbourhoods.of(correspondences(*wall(cameras), cameras, side))


def test_a_new_adapter_changes_nothing_to_the_bit_and_a_loud_one_only_where_something_corresponds(
    prior,
) -> None:
    shown = drawn(prior, 700_123, np.random.default_rng(0), Orbits())
    plain, new, changed = (
        cleaned(prior, adapter, shown, 500, np.random.default_rng(1))
        for adapter in (None, CorrespondenceAdapter(), loud())
    )
    assert torch.equal(plain, new) and not torch.equal(plain, changed)
    block, near = loud().middle, neighbourhoods()
    x = torch.randn(3, 96, 16, 16, generator=torch.Generator().manual_seed(0))
    moved = (block(x, near, torch.zeros(3, 64)) != x).any(1).flatten()
    assert moved[near.cells].all() and int(moved.sum()) == len(near.cells) < len(moved)


def test_views_that_do_not_see_a_point_have_no_weight_and_the_rest_sums_to_one() -> None:
    q, keys = torch.randn(5, 2, 4), torch.randn(5, 3 * 9, 2, 4)
    seen = torch.tensor([[True, False, True]] * 5)
    weights = attention_weights(q, keys, seen)
    assert torch.equal(weights[..., 9:18], torch.zeros(5, 2, 9))
    torch.testing.assert_close(weights.sum(-1), torch.ones(5, 2))


def test_what_a_blind_view_shows_changes_nothing() -> None:
    near, block = neighbourhoods(), loud().middle
    alone = replace(near, visible=near.visible & torch.tensor([True, False]))
    kept = alone.visible.any(1)
    q, told = torch.zeros(len(near.cells), 48), torch.randn(3 * 256, 96)
    other = told.clone()
    blind = near.rows.view(len(near.cells), 2, -1)[:, 1].unique()
    heard = near.rows.view(len(near.cells), 2, -1)[kept][:, 0].unique()
    other[blind[~torch.isin(blind, heard)]] += 100
    one, two = block._heard(q, told, alone), block._heard(q, other, alone)
    torch.testing.assert_close(one[kept], two[kept])


def test_neighbourhoods_are_bilinear_and_end_at_the_border() -> None:
    """A ramp over the cells is read as itself at every place, and as the border's beyond it."""
    cameras = around(0.0, 20.0)
    known = correspondences(*wall(cameras, half=2.0), cameras, 16)
    near = Neighbourhoods.of(known)
    column = torch.arange(16.0).expand(16, 16).flatten().repeat(2)
    read = (column[near.rows] * near.shares).sum(-1).view(len(near.cells), 1, 9)
    view, cell = near.cells // 256, near.cells % 256
    centre = (known.places[view, 0, cell, 0] + 1) * 8 - 0.5
    for k, step in enumerate((-1, 0, 1) * 3):
        torch.testing.assert_close(read[:, 0, k], (centre + step).clamp(0, 15), atol=1e-4, rtol=0)
    torch.testing.assert_close(near.shares.sum(-1), torch.ones(len(near.shares)))


def test_blocks_have_a_gradient_that_is_that_of_finite_differences() -> None:
    torch.manual_seed(0)
    block, near = CorrespondenceBlock(8, 4, 2).double(), neighbourhoods()
    nn.init.normal_(block.out.weight)
    near = replace(near, shares=near.shares.double())
    x, state = torch.randn(3, 8, 16, 16).double(), torch.randn(3, 64).double()
    direction = torch.randn_like(x)
    value = lambda each: block(each, near, state).square().sum()  # noqa: E731
    at = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(value(at), at)
    slope = (value(x + 1e-5 * direction) - value(x - 1e-5 * direction)).detach() / 2e-5
    assert float(slope) == pytest.approx(float((gradient * direction).sum()), rel=1e-5)


def test_it_is_stored_beside_the_prior_and_loaded_with_it(tmp_path: Path, prior) -> None:
    folder = tmp_path / "toybox"
    folder.mkdir()
    for each in TOYBOX.iterdir():
        (folder / each.name).symlink_to(each)
    if (folder / CORRESPONDENCE).is_symlink():
        (folder / CORRESPONDENCE).unlink()
    assert load_toybox(folder).correspondence is None
    adapter = loud()
    save_correspondence(folder / CORRESPONDENCE, adapter.config, adapter.state_dict(), "of other weights")
    assert load_toybox(folder).correspondence is None, "it would not know their features"
    save_correspondence(folder / CORRESPONDENCE, adapter.config, adapter.state_dict(), base_digest(TOYBOX))
    again = load_toybox(folder).correspondence
    assert again is not None and again.config == adapter.config
    torch.testing.assert_close(again.fine.out.weight, adapter.fine.out.weight, atol=1e-3, rtol=0)
    (folder / CORRESPONDENCE / WEIGHTS).write_bytes(b"x")
    with pytest.raises(FileFormatError, match="correspondence adapter"):
        load_correspondence(folder / CORRESPONDENCE)


def test_painting_uses_it_where_it_is_asked_for_and_says_where_there_is_none(prior) -> None:
    shape, how = shape_of(box()), Paint(prompt="a house", views=4, steps=2, correspondence=True)
    along = prior.joined_by(loud(), drawn(prior, 3, np.random.default_rng(0), Orbits()).surface)
    studio = prepared(shape, how, along)
    assert studio.prior.surface is not None and studio.prior.surface.count == 4
    assert prepared(shape, replace(how, correspondence=False), prior).prior.surface is None
    assert prior.correspondence is not None, "it ships"
    bare = copy(prior)
    bare.correspondence = None
    with pytest.raises(MissingError, match="no correspondence adapter"):
        prepared(shape, how, bare)


def test_views_apart_is_zero_for_one_colour(prior) -> None:
    shown = drawn(prior, 700_123, np.random.default_rng(0), Orbits())
    flat = torch.full((8, 4, 64, 64), 0.3)
    assert (
        views_apart(flat, shown.known) == pytest.approx(0, abs=1e-6)
        and views_apart(shown.x, shown.known) > 0.01
    )


def test_priors_that_cannot_are_refused() -> None:
    plain = AnalyticPrior({"": gaussian(torch.zeros(4, 8, 8))})
    with pytest.raises(InputError, match="cannot attend"):
        joined(plain, shape_of(box()), orbit_cameras([0.0], 0.0, 3.0, 40.0, 8))
