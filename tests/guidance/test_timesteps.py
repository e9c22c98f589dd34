"""Policies of noise over time: printed tables, ranges, and that times never rise where a policy promises
it.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from engine.core.noise_schedule import scaled_linear
from engine.errors import InputError
from engine.guidance.timesteps import POLICIES, Timesteps

SCHEDULE = scaled_linear()


def centres(policy: Timesteps, progress: list[float]) -> list[int]:
    ranges = [policy.t_range_at(p) for p in progress]
    assert all(low == high for low, high in ranges)
    return [low for low, _ in ranges]


def test_hifa_table() -> None:
    policy = Timesteps("hifa", t_min=0.3, t_max=0.98, t_jitter=0)
    assert centres(policy, [0, 0.1, 0.25, 0.5, 0.75, 1]) == [980, 764, 639, 499, 391, 300]


@pytest.mark.parametrize(
    ("t_min", "t_max", "table"),
    [
        (0.2, 0.8, [799, 758, 694, 588, 482, 405, 200]),
        (0.02, 0.98, [979, 913, 821, 673, 524, 429, 20]),
    ],
)
def test_dreamtime_table(t_min: float, t_max: float, table: list[int]) -> None:
    policy = Timesteps("dreamtime", t_min=t_min, t_max=t_max, t_jitter=0)
    assert centres(policy, [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]) == table


@pytest.mark.parametrize("kind", ["anneal", "hifa", "dreamtime"])
def test_noise_never_rises(kind: str) -> None:
    times = centres(Timesteps(kind, 0.02, 0.98, t_jitter=0), [i / 3000 for i in range(3001)])
    assert all(later <= earlier for earlier, later in pairwise(times))
    assert times[-1] == 20 and times[0] in (979, 980)


def test_linear_anneal_with_jitter() -> None:
    policy = Timesteps("anneal", t_min=0.25, t_max=0.95, t_jitter=0.05)
    assert policy.t_range_at(0.0) == (900, 999)
    assert policy.t_range_at(0.5) == (550, 650)
    assert policy.t_range_at(1.0) == (200, 300)


def test_funnel_narrows_as_mvdream_prints_it() -> None:
    """Floor .98 -> .02 and ceiling .98 -> .5 over 8000 of 10000 steps."""
    policy = Timesteps("funnel", 0.02, 0.98, anneal_until=0.8)
    assert policy.t_range_at(0.0) == (980, 980)
    assert policy.t_range_at(0.4) == (500, 740)
    assert policy.t_range_at(0.8) == policy.t_range_at(1.0) == (20, 500)


@pytest.mark.parametrize("kind", POLICIES)
@pytest.mark.parametrize("steps", [10, 250, 1000])
def test_ranges_are_times_of_the_schedule(kind: str, steps: int) -> None:
    for t_min, t_max in ((0.0, 1.0), (0.5, 0.5), (0.02, 0.98)):
        for progress in (-1.0, 0.0, 0.3, 1.0, 2.0):
            low, high = Timesteps(kind, t_min, t_max, 0.1).t_range_at(progress, steps)
            assert 0 <= low <= high < steps


def test_draws_fill_the_range_evenly() -> None:
    policy = Timesteps("uniform", 0.02, 0.98)
    t = policy.draw(0.5, 200_000, SCHEDULE, torch.Generator().manual_seed(0))
    assert t.dtype == torch.int64 and (t.min().item(), t.max().item()) == (20, 980)
    standard_error = 961 / 12**0.5 / 200_000**0.5
    assert abs(t.double().mean().item() - 500) < 4 * standard_error


def test_one_time_for_all_views_where_it_is_shared() -> None:
    policy, rng = Timesteps("uniform", 0.02, 0.98), torch.Generator().manual_seed(1)
    shared = [policy.draw(0.0, 4, SCHEDULE, rng, shared=True) for _ in range(20)]
    assert all(len(t.unique()) == 1 and len(t) == 4 for t in shared)
    assert len({int(t[0]) for t in shared}) > 10
    assert len(policy.draw(0.0, 4, SCHEDULE, rng).unique()) > 1


def test_draws_repeat_with_the_seed_and_leave_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    first, second = (Timesteps().draw(0.3, 8, SCHEDULE, torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first, second) and torch.equal(before, torch.get_rng_state())


def test_a_range_upside_down_is_refused() -> None:
    with pytest.raises(InputError, match="t_min"):
        Timesteps("uniform", t_min=0.9, t_max=0.1)
