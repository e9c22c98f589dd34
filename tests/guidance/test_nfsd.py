"""NFSD against its closed form: a pull at little noise, a constant push at much."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.core.noise_schedule import noise_like
from engine.guidance import nfsd
from engine.guidance.csd import Csd
from engine.guidance.nfsd import Nfsd
from engine.prior.analytic import CountingPrior
from tests.guidance.numbers import (
    CUP,
    EMPTY,
    START,
    TIMES,
    UGLY,
    constants,
    gradients,
    known_noise,
    prompts_of,
    scalar_prior,
)

WORKED_OUT = {100: -0.416264, 500: -2.857499, 900: -0.823841}


@pytest.mark.parametrize("t", TIMES)
def test_number_worked_out_by_hand(t: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nfsd, "noise_like", known_noise)
    assert gradients(Nfsd(7.5), scalar_prior(), START, t, negative="ugly").item() == pytest.approx(
        WORKED_OUT[t], abs=1e-5
    )


@pytest.mark.parametrize("t", [200, 500, 900])
def test_above_the_threshold_nothing_depends_on_the_picture(t: int) -> None:
    prior = scalar_prior()
    a, sig, v = constants(prior, t)
    x = torch.linspace(-5, 5, 11, dtype=torch.float64)
    found = gradients(Nfsd(7.5, weighting="uniform"), prior, x, t, batch=11, negative="ugly")
    expected = sig * a * ((UGLY - EMPTY) + 7.5 * (EMPTY - CUP)) / v
    assert torch.allclose(found, torch.full_like(found, expected), atol=1e-12)


@pytest.mark.parametrize("t", [20, 100, 199])
def test_below_it_the_picture_is_pulled_and_the_noise_stays_in(
    t: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression of the gradient on the noise: a line with slope sig^2 / v, whose value without noise is the
    closed form.
    """
    drawn: list[Tensor] = []
    monkeypatch.setattr(nfsd, "noise_like", lambda x, rng: drawn.append(noise_like(x, rng)) or drawn[-1])
    prior = scalar_prior()
    a, sig, v = constants(prior, t)
    found = gradients(Nfsd(7.5, weighting="uniform"), prior, START, t, batch=64, negative="ugly")
    line = torch.stack([drawn[0].flatten(), torch.ones(64, dtype=torch.float64)], dim=1)
    slope, middle = torch.linalg.lstsq(line, found[:, None]).solution.flatten().tolist()
    assert slope == pytest.approx(sig**2 / v, abs=1e-10)
    assert middle == pytest.approx(sig * a * (START - EMPTY - 7.5 * (CUP - EMPTY)) / v, abs=1e-10)


def test_without_a_negative_prompt_the_upper_part_is_csd() -> None:
    prior = scalar_prior()
    found = gradients(Nfsd(7.5), prior, START, 500, batch=4)
    assert torch.allclose(found, gradients(Csd(7.5), prior, START, 500, batch=4), atol=1e-12)


def test_each_view_has_the_rule_of_its_own_time() -> None:
    prior, method, times = scalar_prior(), Nfsd(7.5), torch.tensor([100, 500, 199, 200])
    x = torch.full((4, 1, 1, 1), START, dtype=torch.float64, requires_grad=True)
    prompts = prompts_of(prior, "ugly")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nfsd, "noise_like", known_noise)
        method.loss(x, times, prompts, prior, None, torch.Generator()).loss.backward()
        alone = [gradients(method, prior, START, int(t), negative="ugly").item() for t in times]
    assert (4 * x.grad).flatten().tolist() == pytest.approx(alone, abs=1e-12)


def test_the_threshold_is_a_share_of_the_schedule() -> None:
    prior = scalar_prior()
    low, high = (
        gradients(Nfsd(7.5, clean_until=share), prior, START, 500, negative="ugly") for share in (0.5, 0.501)
    )
    assert (low - high).abs().item() > 0.1


@pytest.mark.parametrize(
    ("t", "negative", "forwards"), [(100, "ugly", 2), (500, "ugly", 3), (500, None, 2), (100, None, 2)]
)
def test_cost(t: int, negative: str | None, forwards: int) -> None:
    counted = CountingPrior(scalar_prior())
    gradients(Nfsd(), counted, START, t, batch=3, negative=negative)
    assert (counted.forwards, counted.backwards) == (forwards, 0)
