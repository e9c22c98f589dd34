"""DDIM run backwards against closed forms: around a Gaussian's mean each step multiplies by one number."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from engine.core.noise_schedule import NoiseSchedule
from engine.prior.analytic import AnalyticPrior, CountingPrior, gaussian
from engine.prior.base import Condition, Prediction, Prompts
from engine.prior.inversion import ddpm_spread, even_times, invert, inverted_noise, strided_times
from engine.prior.sampling import ddim

MEAN, STD = 1.1, 0.5


@pytest.fixture(scope="module")
def prior() -> AnalyticPrior:
    return AnalyticPrior({"a cup": gaussian(MEAN, STD), "": gaussian(0.3, STD)})


def prompts_of(prior: AnalyticPrior) -> Prompts:
    return Prompts(Condition(prior.embed("a cup")), Condition(prior.embed("")))


def column(values: list[float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1, 1)


def signal_and_noise(schedule: NoiseSchedule, t: int) -> tuple[float, float]:
    abar = schedule.alphas_cumprod[t].item()
    return math.sqrt(abar), math.sqrt(1 - abar)


def multiplier(schedule: NoiseSchedule, start: int, end: int) -> float:
    """(a_t a_s std^2 + sig_t sig_s) / v_s: what one step from ``start`` to ``end`` does to x_t - a mean."""
    (a_s, sig_s), (a_t, sig_t) = signal_and_noise(schedule, start), signal_and_noise(schedule, end)
    return (a_t * a_s * STD**2 + sig_t * sig_s) / (a_s**2 * STD**2 + sig_s**2)


def test_one_step_worked_out_by_hand(prior: AnalyticPrior) -> None:
    """From x_t = 1 at time 500: up to 520, and down to 480."""
    for end, expected in ((520, 0.977187), (480, 1.022380)):
        found = invert(prior, prompts_of(prior), column([1.0]), torch.tensor([[500], [end]]), 1.0).item()
        assert found == pytest.approx(expected, abs=1e-6)


def test_a_path_multiplies(prior: AnalyticPrior) -> None:
    times = [0, 200, 400, 520, 600]
    x = column([-3.0, 0.0, 2.0])
    end = invert(prior, prompts_of(prior), x, torch.tensor(times)[:, None].expand(-1, 3), 1.0)
    product = math.prod(multiplier(prior.schedule, low, high) for low, high in pairwise(times))
    a0, a_end = (signal_and_noise(prior.schedule, t)[0] for t in (0, 600))
    assert torch.allclose(end - a_end * MEAN, product * (x - a0 * MEAN), atol=1e-12)


def test_each_of_a_batch_has_its_own_path(prior: AnalyticPrior) -> None:
    goals, x = torch.tensor([0, 130, 900]), column([2.0, 2.0, 2.0])
    together = invert(prior, prompts_of(prior), x, strided_times(goals, 200), 7.5)
    alone = [invert(prior, prompts_of(prior), x[:1], strided_times(goal[None], 200), 7.5) for goal in goals]
    assert torch.allclose(together, torch.cat(alone), atol=1e-12)


@pytest.mark.parametrize("guidance_scale", [-7.5, 1.0, 7.5])
def test_there_and_back_comes_closer_with_more_steps(prior: AnalyticPrior, guidance_scale: float) -> None:
    """Sampling undoes inversion in the limit of small steps."""
    x, errors = column([-1.0, 2.0]), []
    for steps in (10, 50, 200):
        times = even_times(torch.tensor([800, 800]), steps)
        noisy = invert(prior, prompts_of(prior), x, times, guidance_scale)
        *_, back = ddim(prior, prompts_of(prior), noisy, times[:, 0].tolist()[::-1], guidance_scale)
        errors.append((back - x).abs().max().item())
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


@pytest.mark.parametrize(("steps", "remains"), [(10, 0.634), (20, 0.785), (50, 0.900), (100, 0.945)])
def test_how_much_of_a_difference_survives_there_and_back(
    prior: AnalyticPrior, steps: int, remains: float
) -> None:
    """The product of multipliers up and down, over the whole schedule."""
    times = even_times(torch.tensor([999, 999]), steps)
    noisy = invert(prior, prompts_of(prior), column([0.0, 1.0]), times, 1.0)
    back = invert(prior, prompts_of(prior), noisy, times.flip(0), 1.0)
    assert (back[1] - back[0]).item() == pytest.approx(remains, abs=0.01)


def test_guidance_one_costs_one_call_a_step_and_others_two(prior: AnalyticPrior) -> None:
    for guidance_scale, forwards in ((1.0, 7), (-7.5, 14)):
        counted = CountingPrior(prior)
        invert(counted, prompts_of(prior), column([1.0]), even_times(torch.tensor([500]), 7), guidance_scale)
        assert counted.forwards == forwards


def test_eta_adds_the_noise_of_a_ddpm_step(prior: AnalyticPrior) -> None:
    """One step on many equal numbers: the mean is DDIM's and the spread is eta sigma, within five standard
    errors.
    """
    draws, eta = 20_000, 0.3
    x, times = column([2.0]).expand(draws, 1, 1, 1), torch.tensor([[300], [400]]).expand(2, draws)
    rng = torch.Generator().manual_seed(0)
    noisy = invert(prior, prompts_of(prior), x, times, 1.0, eta, rng)
    still = invert(prior, prompts_of(prior), x[:1], times[:, :1], 1.0).item()
    abar, abar_later = prior.schedule.alphas_cumprod[[300, 400]].tolist()
    spread = eta * math.sqrt((1 - abar) / (1 - abar_later) * (1 - abar_later / abar))
    assert abs(noisy.mean().item() - still) < 5 * spread / math.sqrt(draws)
    assert abs(noisy.std().item() - spread) < 5 * spread / math.sqrt(2 * draws)


def test_no_noise_is_added_where_time_stands_still_or_the_start_is_clean(prior: AnalyticPrior) -> None:
    clean = NoiseSchedule(torch.cat([torch.ones(1, dtype=torch.float64), prior.schedule.alphas_cumprod]))
    low, high = torch.tensor([0, 0, 500]), torch.tensor([0, 500, 500])
    assert ddpm_spread(clean, low, high, column([0.0, 0.0, 0.0])).flatten().tolist() == [0.0, 0.0, 0.0]


def test_times_rise_evenly_or_in_strides_and_end_at_the_goal() -> None:
    goals = torch.tensor([0, 7, 500])
    even = even_times(goals, 10)
    assert (
        even.shape == (11, 3)
        and even.dtype == goals.dtype
        and torch.equal(even[-1], goals)
        and not even[0].any()
    )
    assert even[:, 2].tolist() == list(range(0, 501, 50)) and (even.diff(dim=0) >= 0).all()
    assert strided_times(goals, 200).tolist() == [[0, 0, 0], [0, 7, 200], [0, 7, 400], [0, 7, 500]]
    assert strided_times(goals[:1], 200).tolist() == [[0]]


def picture_prior() -> AnalyticPrior:
    """One whose eps is what its clean picture leaves."""
    prior = AnalyticPrior({"a cup": gaussian(MEAN, STD), "": gaussian(0.3, STD)})
    prior.info = replace(prior.info, implies_noise=True)
    return prior


def test_noise_that_a_picture_leaves_has_at_most_unit_variance(prior: AnalyticPrior) -> None:
    eps = torch.cat([torch.full((1, 2, 3, 3), 40.0), torch.full((1, 2, 3, 3), 0.4)])
    found = inverted_noise(picture_prior(), Prediction(eps, torch.zeros_like(eps)))
    torch.testing.assert_close(found[0], torch.ones(2, 3, 3))
    assert torch.equal(found[1], eps[1]) and inverted_noise(prior, Prediction(eps, eps)) is eps


class Disbelieving(AnalyticPrior):
    """Sees nothing in any picture, and takes all of it for noise."""

    def predict(self, x_t: torch.Tensor, t: torch.Tensor, condition: Condition) -> Prediction:
        _, sig = self.schedule.signal_and_noise(t, x_t)
        return Prediction(x_t / sig, torch.zeros_like(x_t))


def test_a_picture_that_a_prior_does_not_believe_gets_the_noise_of_its_level() -> None:
    prior = Disbelieving({"": gaussian(0.3, STD)})
    prior.info = replace(prior.info, implies_noise=True)
    nothing = Prompts(Condition(prior.embed("")), Condition(prior.embed("")))
    end = invert(prior, nothing, column([1.0]), torch.tensor([[0], [200], [400]]), 1.0)
    assert end.item() == pytest.approx(signal_and_noise(prior.schedule, 400)[1])
