"""CSD against its closed form: for Gaussians of equal spread it drifts for ever, for others it ends where
their scores agree.
"""

from __future__ import annotations

import pytest
import torch

from engine.guidance import csd
from engine.guidance.csd import Csd
from engine.guidance.sds import Sds
from engine.prior.analytic import CountingPrior
from tests.guidance.numbers import (
    CUP,
    EMPTY,
    START,
    STD,
    TIMES,
    UGLY,
    constants,
    gradients,
    known_noise,
    prompts_of,
    scalar_prior,
)

WORKED_OUT = {100: -0.079025, 500: -0.326571, 900: -0.094153}


@pytest.mark.parametrize("t", TIMES)
def test_number_worked_out_by_hand(t: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csd, "noise_like", known_noise)
    assert gradients(Csd(1.0), scalar_prior(), START, t).item() == pytest.approx(WORKED_OUT[t], abs=1e-5)


@pytest.mark.parametrize("t", TIMES)
def test_it_is_what_guidance_adds_to_sds(t: int) -> None:
    """SDS at s is SDS at 0 and CSD at s; so two SDS gradients at one noise differ by CSD."""
    prior = scalar_prior()
    low, high = (gradients(Sds(scale, "uniform"), prior, START, t, batch=5) for scale in (2.0, 7.5))
    assert torch.allclose(
        high - low, gradients(Csd(5.5, weighting="uniform"), prior, START, t, batch=5), atol=1e-12
    )


@pytest.mark.parametrize("t", TIMES)
def test_equal_spreads_drift_at_one_speed_from_everywhere(t: int) -> None:
    prior = scalar_prior()
    a, sig, v = constants(prior, t)
    x = torch.linspace(-50, 50, 11, dtype=torch.float64)
    found = gradients(Csd(3.0, weighting="uniform"), prior, x, t, batch=11)
    assert torch.allclose(found, torch.full_like(found, 3 * sig * a * (EMPTY - CUP) / v), atol=1e-12)


@pytest.mark.parametrize("t", TIMES)
def test_other_spreads_end_where_the_two_scores_agree(t: int) -> None:
    """On average over the noise the gradient is a line in x through x* = (m_c v_u - m_u v_c) / (v_u - v_c),
    and rises there.
    """
    prior = scalar_prior(cup_std=0.5, empty_std=0.8)
    v_cup, v_empty = (constants(prior, t, std)[2] for std in (0.5, 0.8))
    rest = (CUP * v_empty - EMPTY * v_cup) / (v_empty - v_cup)

    def mean(x: float) -> float:
        """Two opposite noises cancel: the mean of a line."""
        found = []
        for sign in (-1.0, 1.0):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(csd, "noise_like", lambda start, rng, sign=sign: torch.full_like(start, sign))
                found.append(gradients(Csd(1.0), prior, x, t).item())
        return sum(found) / 2

    assert mean(rest) == pytest.approx(0, abs=1e-12)
    assert mean(rest - 0.5) < -1e-4 and mean(rest + 0.5) > 1e-4


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_anchor_moves_from_anything_to_the_negative_prompt(share: float) -> None:
    prior = scalar_prior()
    a, sig, v = constants(prior, 500)
    anchor = (1 - share) * EMPTY + share * UGLY
    found = gradients(Csd(2.0, share, "uniform"), prior, START, 500, negative="ugly").item()
    assert found == pytest.approx(2 * sig * a * (anchor - CUP) / v, abs=1e-12)


@pytest.mark.parametrize(
    ("share", "negative", "forwards"),
    [(1.0, None, 2), (0.5, None, 2), (0.0, "ugly", 2), (1.0, "ugly", 2), (0.5, "ugly", 3)],
)
def test_cost(share: float, negative: str | None, forwards: int) -> None:
    counted = CountingPrior(scalar_prior())
    gradients(Csd(7.5, share), counted, START, 500, batch=3, negative=negative)
    assert (counted.forwards, counted.backwards) == (forwards, 0)


def test_the_picture_shown_is_the_guided_clean_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csd, "noise_like", known_noise)
    prior = scalar_prior()
    a, sig, v = constants(prior, 500)
    x = torch.full((1, 1, 1, 1), START, dtype=torch.float64)
    out = Csd(7.5).loss(x, torch.tensor([500]), prompts_of(prior), prior, None, torch.Generator())
    goal = EMPTY + 7.5 * (CUP - EMPTY)
    assert out.denoised.item() == pytest.approx(
        goal + a * STD**2 / v * (a * START + sig * 0.25 - a * goal), abs=1e-9
    )
