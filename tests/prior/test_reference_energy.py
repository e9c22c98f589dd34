"""The stand-in's energy against the closed form of two Gaussians."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.loop.reference.draft import pulled
from engine.prior.analytic import AnalyticPrior, gaussian
from engine.prior.base import Condition, Prediction, Prompts
from engine.prior.reference.strength import Influence, StrengthCurve, gate
from engine.prior.sampling import ddim, sampling_times

MU, TARGET, STD = 1.1, -0.7, 0.5


@pytest.fixture
def prior() -> AnalyticPrior:
    return AnalyticPrior({"": gaussian(MU, STD)})


def joint(prior: AnalyticPrior, x_t: Tensor, t: Tensor, strength: float) -> Prediction:
    plain = prior.predict(x_t, t, Condition(prior.embed("")))
    return pulled(
        plain, x_t, t, prior.schedule, torch.full_like(x_t, TARGET), torch.tensor(strength, dtype=x_t.dtype)
    )


@pytest.mark.parametrize("time", [100, 500, 900])
@pytest.mark.parametrize("strength", [0.25, 1.0, 2.0])
def test_the_joint_score_is_zero_where_the_closed_form_says(
    prior: AnalyticPrior, time: int, strength: float
) -> None:
    t = torch.tensor([time])
    a, sig = prior.schedule.signal_and_noise(t, torch.zeros(1, 1, 1, 1, dtype=torch.float64))
    v, k = a**2 * STD**2 + sig**2, strength / sig**2
    zero = (a * MU / v + k * a * TARGET) / (1 / v + k)
    assert joint(prior, zero, t, strength).eps.abs().max() < 1e-9
    assert (
        joint(prior, zero + 0.01, t, strength).eps.min()
        > 0
        > joint(prior, zero - 0.01, t, strength).eps.max()
    )


def test_both_readings_agree(prior: AnalyticPrior) -> None:
    x_t, t = torch.tensor([2.0, -1.0], dtype=torch.float64).view(2, 1, 1, 1), torch.tensor([100, 700])
    found = joint(prior, x_t, t, 0.8)
    torch.testing.assert_close(prior.schedule.add_noise(found.x0, found.eps, t), x_t)


def sample(prior: AnalyticPrior, influence: Influence) -> float:
    told = Condition(prior.embed(""))
    noise = torch.randn(2000, 1, 1, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def corrected(prediction: Prediction, x_t: Tensor, t: Tensor) -> Prediction:
        strength = torch.tensor(influence.at(float(t[0]) / len(prior.schedule)), dtype=x_t.dtype)
        return pulled(prediction, x_t, t, prior.schedule, torch.full_like(x_t, TARGET), strength)

    *_, drawn = ddim(
        prior, lambda: Prompts(told, told), noise, sampling_times(prior.schedule, 20), 1.0, corrected
    )
    return float(drawn.mean())


def test_a_closed_gate_leaves_the_priors_mean_and_strength_moves_it_steadily(prior: AnalyticPrior) -> None:
    full = StrengthCurve.between(1, 1)
    told = Condition(prior.embed(""))
    noise = torch.randn(2000, 1, 1, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    *_, plain = ddim(prior, Prompts(told, told), noise, sampling_times(prior.schedule, 20), 1.0)
    assert (
        sample(prior, Influence(full, gate(0.2, 0.45, 0.65)))
        == float(plain.mean())
        == pytest.approx(MU, abs=0.05)
    )
    means = [sample(prior, Influence(StrengthCurve.between(s, s))) for s in (0, 0.25, 0.5, 1.0, 2.0)]
    assert means == sorted(means, reverse=True) and means[-1] < MU - 1 and means[-1] > TARGET


def test_the_influence_never_falls_with_progress_on_a_rising_curve_or_with_likeness() -> None:
    curve = StrengthCurve.between(0.1, 1)
    by_progress = [Influence(curve, 0.7).at(1 - u / 20) for u in range(21)]
    by_likeness = [Influence(curve, gate(s / 20, 0.45, 0.65)).at(0.5) for s in range(21)]
    assert by_progress == sorted(by_progress) and by_likeness == sorted(by_likeness) and by_likeness[0] == 0
    assert Influence(curve, 0.0).silent and not Influence(curve, 0.1).silent
