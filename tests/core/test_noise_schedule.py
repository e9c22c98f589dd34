"""Noise schedules against their published numbers, and the algebra between noise, clean picture and
velocity.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.core.noise_schedule import (
    WEIGHTINGS,
    NoiseSchedule,
    eps_from_v,
    eps_from_x0,
    linear,
    noise_like,
    scaled_linear,
    squared_cosine,
    time_weight,
    x0_from_eps,
    x0_from_v,
    zero_terminal_snr,
)

SCHEDULES = {"scaled_linear": scaled_linear(), "linear": linear(), "squared_cosine": squared_cosine()}
TIMES = [0, 20, 200, 500, 800, 980, 999]
TABLE = {
    "scaled_linear": [0.99915, 0.981314, 0.753692, 0.276333, 0.0368696, 0.00584378, 0.0046601],
    "linear": [0.9999, 0.993735, 0.656347, 0.0777967, 0.00150752, 5.904e-5, 4.036e-5],
    "squared_cosine": [0.999959, 0.998114, 0.897763, 0.492285, 0.0931378, 8.77e-4, 2.43e-9],
}


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("name", TABLE)
def test_schedules_have_the_published_numbers(name: str) -> None:
    found = SCHEDULES[name].alphas_cumprod[TIMES]
    for value, printed in zip(found.tolist(), TABLE[name]):
        digits = len(f"{printed:e}".split("e")[0].rstrip("0").replace(".", ""))
        assert float(f"{value:.{digits - 1}e}") == pytest.approx(printed, rel=1e-9), (name, printed)


@pytest.mark.parametrize("name", SCHEDULES)
def test_signal_only_ever_fades(name: str) -> None:
    abar = SCHEDULES[name].alphas_cumprod
    assert len(SCHEDULES[name]) == 1000 and abar.dtype == torch.float64
    assert (abar.diff() < 0).all() and abar[0] < 1 and abar[-1] > 0


@pytest.mark.parametrize("name", SCHEDULES)
def test_zero_terminal_snr_ends_in_pure_noise_and_keeps_its_start(name: str) -> None:
    before, after = SCHEDULES[name].alphas_cumprod, zero_terminal_snr(SCHEDULES[name]).alphas_cumprod
    assert after[-1] == 0 and torch.isclose(after[0], before[0], rtol=1e-14)
    assert (after.diff() < 0).all()
    # the square root moves by an affine map
    slopes = after.sqrt().diff() / before.sqrt().diff()
    assert torch.allclose(slopes, slopes[0], rtol=1e-6)


def test_a_schedule_that_grows_or_leaves_0_to_1_cannot_be_made() -> None:
    for bad in ([0.5, 0.6], [1.1, 0.5], [0.5, -0.1], [[0.9, 0.5]]):
        with pytest.raises(AssertionError):
            NoiseSchedule(torch.tensor(bad, dtype=torch.float64))


@pytest.mark.parametrize("name", SCHEDULES)
def test_noise_clean_picture_and_velocity_give_one_another_back(name: str) -> None:
    schedule, t = SCHEDULES[name], torch.tensor([1, 250, 700])
    x0, eps = normal(3, 4, 5, 5), normal(3, 4, 5, 5, seed=1)
    a, sig = schedule.signal_and_noise(t, x0)
    x_t, v = schedule.add_noise(x0, eps, t), a * eps - sig * x0
    assert (eps_from_v(x_t, v, a, sig) - eps).abs().max() < 1e-12
    assert (x0_from_v(x_t, v, a, sig) - x0).abs().max() < 1e-12
    assert (x0_from_eps(x_t, eps, a, sig) - x0).abs().max() < 1e-12
    assert (eps_from_x0(x_t, x0, a, sig) - eps).abs().max() < 1e-12
    by_eps, by_v = x0_from_eps(x_t, eps_from_v(x_t, v, a, sig), a, sig), x0_from_v(x_t, v, a, sig)
    assert (by_eps - by_v).abs().max() < 1e-12


def test_velocity_still_tells_the_clean_picture_where_only_noise_is_left() -> None:
    schedule, t = zero_terminal_snr(scaled_linear()), torch.tensor([999])
    x0, eps = normal(1, 3), normal(1, 3, seed=1)
    a, sig = schedule.signal_and_noise(t, x0)
    x_t = schedule.add_noise(x0, eps, t)
    assert torch.equal(x_t, eps)
    assert torch.equal(x0_from_v(x_t, a * eps - sig * x0, a, sig), x0)


def test_noising_keeps_unit_variance() -> None:
    x = normal(4, 100_000)
    noisy = scaled_linear().add_noise(x, normal(4, 100_000, seed=1), torch.tensor([0, 300, 600, 999]))
    assert torch.allclose(noisy.var(dim=1), torch.ones(4, dtype=torch.float64), atol=0.02)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shares_of_signal_and_noise_fit_the_batch(dtype: torch.dtype) -> None:
    a, sig = scaled_linear().signal_and_noise(torch.tensor([0, 999]), torch.zeros(2, 3, 4, 4, dtype=dtype))
    assert a.shape == sig.shape == (2, 1, 1, 1) and a.dtype == sig.dtype == dtype
    assert torch.allclose(a**2 + sig**2, torch.ones_like(a))


def test_fractions_of_the_schedule_stay_on_it() -> None:
    schedule = scaled_linear()
    assert [schedule.index(fraction) for fraction in (-1.0, 0.0, 0.02, 0.5, 0.98, 1.0, 2.0)] == [
        0,
        0,
        20,
        500,
        980,
        999,
        999,
    ]


def test_weights_of_time() -> None:
    schedule, t, like = (
        scaled_linear(),
        torch.tensor([20, 500, 980]),
        torch.zeros(3, 2, 2, dtype=torch.float64),
    )
    abar = schedule.alphas_cumprod[t].view(3, 1, 1)
    expected = {
        "sds": 1 - abar,
        "uniform": torch.ones_like(abar),
        "fantasia3d": abar.sqrt() * (1 - abar),
        "denoise": ((1 - abar) / abar).sqrt(),
    }
    assert set(expected) == set(WEIGHTINGS)
    for name, weight in expected.items():
        assert torch.allclose(time_weight(schedule, t, name, like), weight, rtol=1e-12)
    with pytest.raises(AssertionError):
        time_weight(schedule, t, "heavy", like)


def test_the_denoising_weight_turns_errors_of_noise_into_errors_of_the_picture() -> None:
    schedule, t = scaled_linear(), torch.tensor([300])
    x_t, eps, other = normal(1, 6), normal(1, 6, seed=1), normal(1, 6, seed=2)
    a, sig = schedule.signal_and_noise(t, x_t)
    weighted = time_weight(schedule, t, "denoise", x_t) * (other - eps)
    assert torch.allclose(
        weighted, x0_from_eps(x_t, eps, a, sig) - x0_from_eps(x_t, other, a, sig), atol=1e-12
    )
    pure_noise = time_weight(zero_terminal_snr(schedule), torch.tensor([999]), "denoise", x_t)
    assert torch.isfinite(pure_noise).all() and pure_noise > 0


def test_noise_takes_its_shape_from_the_picture_and_its_numbers_from_the_generator() -> None:
    x = torch.zeros(3, 2, dtype=torch.float64)
    draws = [noise_like(x, torch.Generator().manual_seed(5)) for _ in range(2)]
    assert draws[0].shape == x.shape and draws[0].dtype == x.dtype and torch.equal(*draws)
    assert not torch.equal(draws[0], noise_like(x, torch.Generator().manual_seed(6)))
