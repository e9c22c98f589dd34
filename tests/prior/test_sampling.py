"""DDIM against closed forms: with the exact denoiser of a Gaussian the samples must have its mean and its
spread.
"""

from __future__ import annotations

import pytest
import torch

from engine.prior.analytic import AnalyticPrior, CountingPrior, gaussian
from engine.prior.base import Condition, Prompts
from engine.prior.sampling import ddim, sampling_times

MEAN, STD = 0.3, 0.25


@pytest.fixture(scope="module")
def prior() -> AnalyticPrior:
    shape = torch.ones(3, 4, 4)
    return AnalyticPrior({"mug": gaussian(MEAN * shape, STD), "": gaussian(-0.5 * shape, STD)})


def prompts(prior: AnalyticPrior) -> Prompts:
    return Prompts(Condition(prior.embed("mug")), Condition(prior.embed("")))


def draw(prior: AnalyticPrior, steps: int, guidance_scale: float, count: int = 200) -> torch.Tensor:
    x = torch.randn(count, 3, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    *_, sample = ddim(prior, prompts(prior), x, sampling_times(prior.schedule, steps), guidance_scale)
    return sample


def test_samples_have_the_mean_and_spread_of_the_data(prior: AnalyticPrior) -> None:
    sample = draw(prior, 500, 1.0)
    assert sample.mean().item() == pytest.approx(MEAN, abs=0.02)
    assert sample.std().item() == pytest.approx(STD, rel=0.04)


def test_more_steps_come_closer(prior: AnalyticPrior) -> None:
    errors = [abs(draw(prior, steps, 1.0).std().item() - STD) for steps in (4, 16, 64)]
    assert errors[0] > errors[1] > errors[2]


def test_without_guidance_only_one_call_a_step_and_above_it_goes_past_the_mean(prior: AnalyticPrior) -> None:
    assert draw(prior, 30, 3.0).mean() > MEAN + 0.1
    assert draw(prior, 30, 0.0).mean().item() == pytest.approx(-0.5, abs=0.02)


def test_times_fall_from_the_start_without_repeats(prior: AnalyticPrior) -> None:
    for steps in (1, 6, 16, 2000):
        times = sampling_times(prior.schedule, steps)
        assert (
            times[0] == 999
            and times == sorted(set(times), reverse=True)
            and len(times) <= steps
            and times[-1] >= 0
        )
    assert sampling_times(prior.schedule, 4, start=0.5)[0] == 500


def test_sampling_from_the_middle_keeps_what_was_there(prior: AnalyticPrior) -> None:
    """SDEdit: little noise, little change."""
    start = torch.full((50, 3, 4, 4), 0.9, dtype=torch.float64)
    noise = torch.randn(start.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    moves = []
    for fraction in (0.1, 0.5, 0.9):
        times = sampling_times(prior.schedule, 30, fraction)
        x_t = prior.schedule.add_noise(start, noise, torch.full((50,), times[0]))
        *_, sample = ddim(prior, prompts(prior), x_t, times, 1.0)
        moves.append((sample.mean() - start.mean()).abs().item())
    assert moves[0] < moves[1] < moves[2]


def test_below_the_interval_samples_are_drawn_without_guidance(prior: AnalyticPrior) -> None:
    """arXiv 2404.07724: two calls above the bound, one below."""
    counted, noise = CountingPrior(prior), torch.randn(2, 3, 4, 4)
    times = sampling_times(prior.schedule, 10)
    for bound in (0.0, 0.45, 1.0):
        counted.reset()
        list(ddim(counted, prompts(prior), noise, times, 3.0, guidance_t_min=bound))
        assert counted.forwards == sum(1 + (time >= min(999, 1000 * bound)) for time in times)
