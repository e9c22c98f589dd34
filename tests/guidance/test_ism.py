"""ISM against its closed form. Around the empty prompt's mean, inversion multiplies; y_s is what is left of
the picture at s:

gradient / w = (sig_t m / v_t - sig_s / v_s) y_s - sig_t a_t scale (m_c - m_u) / v_t, with m the last step's
multiplier.
"""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from engine.guidance import ism
from engine.guidance.ism import Ism
from engine.guidance.sds import Sds
from engine.prior.analytic import CountingPrior, JointAnalyticPrior, gaussian
from tests.guidance.numbers import (
    CUP,
    EMPTY,
    EPS,
    START,
    STD,
    UGLY,
    constants,
    gradients,
    known_noise,
    prompts_of,
    scalar_prior,
)


def multiplier(start: int, end: int) -> float:
    (a_s, sig_s, v_s), (a_t, sig_t, _) = (constants(scalar_prior(), t) for t in (start, end))
    return (a_t * a_s * STD**2 + sig_t * sig_s) / v_s


def closed_form(t: int, scale: float, x: float = START, cup: float = CUP, anchor: float = EMPTY) -> float:
    """The bracket, for the default interval 80 and stride 200."""
    s = max(t - 80, 0)
    a_0, sig_0, _ = constants(scalar_prior(), 0)
    path = [min(200 * i, s) for i in range(math.ceil(s / 200) + 1)]
    y_s = (a_0 * (x - EMPTY) + sig_0 * EPS) * math.prod(multiplier(low, high) for low, high in pairwise(path))
    (_, sig_s, v_s), (a_t, sig_t, v_t) = (constants(scalar_prior(), time) for time in (s, t))
    goal = anchor + scale * (cup - anchor)
    return (sig_t * multiplier(s, t) / v_t - sig_s / v_s) * y_s - sig_t * a_t * (goal - EMPTY) / v_t


@pytest.mark.parametrize("t", [40, 80, 100, 280, 500, 900])
@pytest.mark.parametrize("scale", [1.0, 7.5])
@pytest.mark.parametrize("negative", [None, "ugly"])
def test_closed_form(t: int, scale: float, negative: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A negative prompt takes the empty one's place in the guided prediction, and none on the path."""
    monkeypatch.setattr(ism, "noise_like", known_noise)
    prior = scalar_prior()
    a_t, sig_t, _ = constants(prior, t)
    expected = closed_form(t, scale, anchor=EMPTY if negative is None else UGLY)
    plain = gradients(Ism(scale, weighting="uniform"), prior, START, t, negative=negative).item()
    weighted = gradients(Ism(scale), prior, START, t, negative=negative).item()
    assert plain == pytest.approx(expected, abs=1e-12)
    assert weighted == pytest.approx(sig_t / a_t * expected, abs=1e-11)


def test_a_prompt_that_says_nothing_still_leaves_the_first_term(monkeypatch: pytest.MonkeyPatch) -> None:
    """With equal means only y_s pushes, and it stops where the picture is the mean and no noise begins the
    path.
    """
    monkeypatch.setattr(ism, "noise_like", lambda x, rng: torch.zeros_like(x))
    prior = scalar_prior()
    prior.concepts["a cup"] = prior.concepts[""]
    assert gradients(Ism(7.5), prior, EMPTY, 500).item() == pytest.approx(0, abs=1e-12)
    away = gradients(Ism(7.5, weighting="uniform"), prior, START, 500).item()
    monkeypatch.setattr(ism, "noise_like", known_noise)
    assert abs(away) > 1e-3
    assert gradients(Ism(7.5, weighting="uniform"), prior, START, 500).item() == pytest.approx(
        closed_form(500, 7.5, cup=EMPTY), abs=1e-12
    )


def test_chance_hardly_matters() -> None:
    """Given the time, the spread over noise is far below that of SDS with the same weight."""
    prior = scalar_prior()
    for t in (100, 500, 900):
        steady, noisy = (
            gradients(method, prior, START, t, batch=400).std() for method in (Ism(), Sds(7.5, "denoise"))
        )
        assert steady < 0.1 * noisy


def test_views_of_different_times_are_each_as_if_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ism, "noise_like", known_noise)
    prior, times = scalar_prior(), torch.tensor([30, 250, 980])
    x = torch.full((3, 1, 1, 1), START, dtype=torch.float64, requires_grad=True)
    Ism().loss(x, times, prompts_of(prior), prior, None, torch.Generator()).loss.backward()
    alone = [gradients(Ism(), prior, START, int(t)).item() for t in times]
    assert (3 * x.grad).flatten().tolist() == pytest.approx(alone, abs=1e-10)


@pytest.mark.parametrize(("t", "forwards"), [(50, 3), (81, 4), (280, 4), (281, 5), (500, 6), (980, 8)])
def test_cost_is_three_passes_and_one_for_each_stride(t: int, forwards: int) -> None:
    counted = CountingPrior(scalar_prior())
    gradients(Ism(), counted, START, t, batch=3)
    assert (counted.forwards, counted.backwards) == (forwards, 0)


def test_views_of_one_object_invert_together() -> None:
    """With a joint prior a view's gradient depends on what the others show."""
    concepts = {"": gaussian(EMPTY, STD), "a cup": gaussian(CUP, STD), "ugly": gaussian(UGLY, STD)}
    prior = JointAnalyticPrior(concepts, rho=0.9)
    alike, unlike = (
        gradients(Ism(), prior, torch.tensor([START, *others]), 500, batch=3)[0]
        for others in ((START, START), (-START, -START))
    )
    assert (alike - unlike).abs() > 1e-2
