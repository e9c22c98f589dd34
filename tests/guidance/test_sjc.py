"""SJC: with variance reduction it is SDS of weight 1; without, the same mean with another spread."""

from __future__ import annotations

import math

import pytest
import torch

from engine.core.noise_schedule import noise_like
from engine.guidance import sjc
from engine.guidance.sds import Sds
from engine.guidance.sjc import Sjc
from engine.prior.analytic import CountingPrior
from tests.guidance.numbers import CUP, EMPTY, START, TIMES, constants, gradients, known_noise, scalar_prior


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("negative", [None, "ugly"])
def test_with_variance_reduction_it_is_sds_of_weight_one(t: int, negative: str | None) -> None:
    prior = scalar_prior()
    ours, sds = (
        gradients(method, prior, START, t, batch=8, negative=negative)
        for method in (Sjc(7.5), Sds(7.5, "uniform"))
    )
    assert torch.allclose(ours, sds, rtol=0, atol=1e-12)


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("reduced", [True, False])
def test_it_is_the_papers_distance_to_the_denoised_picture(
    t: int, reduced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(z - D) / sigma or (x - D) / sigma, in the paper's letters."""
    monkeypatch.setattr(sjc, "noise_like", known_noise)
    prior = scalar_prior()
    a, sig, v = constants(prior, t)
    spread = sig / a
    z = START + spread * 0.25
    goal = EMPTY + 7.5 * (CUP - EMPTY)
    score = -(z - goal) / (v / a**2)
    denoised = z + spread**2 * score
    expected = ((START if reduced else z) - denoised) / spread
    assert gradients(Sjc(7.5, reduced), prior, START, t).item() == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("t", TIMES)
def test_without_it_the_added_noise_stays_in(t: int) -> None:
    """Mean sig a (x - m) / v as before, and spread sig^2 / v, within five standard errors."""
    prior, draws = scalar_prior(), 20_000
    a, sig, v = constants(prior, t)
    found = gradients(Sjc(7.5, False), prior, START, t, batch=draws)
    mean, spread = sig * a * (START - EMPTY - 7.5 * (CUP - EMPTY)) / v, sig**2 / v
    assert abs(found.mean().item() - mean) < 5 * spread / math.sqrt(draws)
    assert abs(found.std().item() - spread) < 5 * spread / math.sqrt(2 * draws)


def test_the_switch_takes_out_exactly_the_added_noise() -> None:
    reduced, plain = (
        gradients(Sjc(7.5, switch), scalar_prior(), START, 500, batch=6, seed=4) for switch in (True, False)
    )
    drawn = noise_like(
        torch.zeros(6, 1, 1, 1, dtype=torch.float64), torch.Generator().manual_seed(4)
    ).flatten()
    assert torch.allclose(plain - reduced, drawn, atol=1e-12)


def test_cost() -> None:
    counted = CountingPrior(scalar_prior())
    gradients(Sjc(7.5), counted, START, 500, batch=3)
    assert (counted.forwards, counted.backwards) == (2, 0)
