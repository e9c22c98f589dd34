"""SDI against its closed form: the pull x - x0 = k (x - mean), with a k that the inversion's steps decide."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from engine.core.noise_schedule import NoiseSchedule, scaled_linear
from engine.guidance.sdi import Sdi
from engine.guidance.sds import Sds
from engine.prior.analytic import AnalyticPrior, CountingPrior
from tests.guidance.numbers import CUP, EMPTY, START, STD, TIMES, UGLY, constants, gradients, scalar_prior

PULLS = {1: 0.9129, 2: 0.8367, 5: 0.7714, 10: 0.7433, 20: 0.7267, 50: 0.7150, 100: 0.7106}


@pytest.fixture(scope="module")
def clean_start() -> AnalyticPrior:
    """A schedule whose time 0 has no noise at all, so that inversion begins at the picture itself."""
    abar = scaled_linear().alphas_cumprod.clone()
    abar[0] = 1
    return scalar_prior(NoiseSchedule(abar))


def pull(prior: AnalyticPrior, steps: int, t: int = 500) -> float:
    """k without guidance: the slope of the gradient."""
    method = Sdi(1.0, inversion_guidance_scale=1.0, inversion_steps=steps, inversion_noise=0.0)
    found = gradients(method, prior, torch.tensor([CUP, CUP + 1], dtype=torch.float64), t, batch=2)
    assert found[0].item() == pytest.approx(0, abs=1e-9), "nothing pulls at the mean"
    return found[1].item()


@pytest.mark.parametrize("steps", PULLS)
def test_pull_worked_out_by_hand(clean_start: AnalyticPrior, steps: int) -> None:
    assert pull(clean_start, steps) == pytest.approx(PULLS[steps], abs=1e-3)


def test_more_steps_pull_less_down_to_the_exact_path(clean_start: AnalyticPrior) -> None:
    """One step is SDS without noise, sig^2 / v; infinitely many give 1 - a std / sqrt(v)."""
    a, sig, v = constants(clean_start, 500)
    pulls = [pull(clean_start, steps) for steps in PULLS]
    assert all(later < earlier for earlier, later in pairwise(pulls))
    limit = 1 - a * STD / math.sqrt(v)
    assert pulls[0] == pytest.approx(sig**2 / v, abs=1e-9) and limit == pytest.approx(0.7048, abs=1e-4)
    assert limit < pulls[-1] < limit + 0.006


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("negative", [None, "ugly"])
def test_closed_form_with_guidance_both_ways(t: int, negative: str | None) -> None:
    """Inversion multiplies round the mean that its own guidance leads to; the clean picture is that of the
    other guidance.
    """
    prior, steps = scalar_prior(), 10
    away_from = EMPTY if negative is None else UGLY
    inversion_mean, goal = (away_from + scale * (CUP - away_from) for scale in (-7.5, 7.5))
    y = START - constants(prior, 0)[0] * inversion_mean
    for low, high in pairwise(round(t * i / steps) for i in range(steps + 1)):
        (a_s, sig_s, v_s), (a_t, sig_t, _) = constants(prior, low), constants(prior, high)
        y *= (a_t * a_s * STD**2 + sig_t * sig_s) / v_s
    a, _, v = constants(prior, t)
    x0 = goal + a * STD**2 / v * (a * inversion_mean + y - a * goal)
    found = gradients(Sdi(inversion_noise=0.0), prior, START, t, negative=negative).item()
    assert found == pytest.approx(START - x0, abs=1e-9)


def test_inversion_noise_makes_it_a_matter_of_chance() -> None:
    prior = scalar_prior()
    spreads = [
        gradients(Sdi(inversion_noise=eta), prior, START, 500, batch=200).std().item()
        for eta in (0.0, 0.3, 0.6)
    ]
    assert spreads[0] < 1e-9 < spreads[1] and spreads[2] == pytest.approx(2 * spreads[1], rel=1e-6)
    assert spreads[1] < gradients(Sds(7.5, "denoise"), prior, START, 500, batch=200).std().item()


def test_descent_without_noise_ends_where_inversion_and_guidance_agree() -> None:
    """A line in x with slope k: following it ends at its zero, beyond the prompt's mean and inside the guided
    one.
    """
    prior, method, x = scalar_prior(), Sdi(2.0, inversion_guidance_scale=1.0, inversion_noise=0.0), START
    for _ in range(40):
        x -= 0.9 * gradients(method, prior, x, 500).item()
    assert gradients(method, prior, x, 500).item() == pytest.approx(0, abs=1e-9)
    assert CUP < x < EMPTY + 4 * (CUP - EMPTY)


@pytest.mark.parametrize(
    ("method", "forwards"),
    [
        (Sdi(), 22),
        (Sdi(inversion_steps=3), 8),
        (Sdi(inversion_guidance_scale=1.0), 12),
        (Sdi(guidance_scale=1.0), 21),
    ],
)
def test_cost_is_two_passes_and_two_for_each_inversion_step(method: Sdi, forwards: int) -> None:
    counted = CountingPrior(scalar_prior())
    gradients(method, counted, START, 500, batch=3)
    assert (counted.forwards, counted.backwards) == (forwards, 0)
