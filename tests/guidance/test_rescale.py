"""Guidance rescale, and SDS as a distance to the clean picture, which it scales."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.core.noise_schedule import eps_from_x0, noise_like, scaled_linear
from engine.guidance import sds
from engine.guidance.sds import Sds, rescaled
from engine.prior.analytic import AnalyticPrior, JointAnalyticPrior, gaussian
from engine.prior.base import Condition, Prediction, Prompts
from tests.guidance.numbers import START, TIMES, constants, gradients, known_noise, scalar_prior

SCHEDULE = scaled_linear()
T = torch.tensor([200, 500, 800])


def predictions(seed: int = 0) -> tuple[Prediction, Prediction, Tensor]:
    """Two clean pictures of three views, their noises, and the noisy views."""
    generator = torch.Generator().manual_seed(seed)
    size = torch.tensor([1.0, 3.0, 0.2], dtype=torch.float64).view(3, 1, 1, 1)
    x_t, loud, plain = (torch.randn(3, 4, 5, 5, generator=generator, dtype=torch.float64) for _ in range(3))
    a, sig = SCHEDULE.signal_and_noise(T, x_t)
    return *(Prediction(eps_from_x0(x_t, x0, a, sig), x0) for x0 in (5 * size * loud, plain)), x_t


@pytest.mark.parametrize("joint", [True, False])
def test_fully_rescaled_pictures_have_the_spread_of_the_plain_ones(joint: bool) -> None:
    loud, plain, _ = predictions()
    found = rescaled(loud, plain, 1.0, T, SCHEDULE, joint).x0
    dims = (0, 1, 2, 3) if joint else (1, 2, 3)
    assert torch.allclose(found.std(dims), plain.x0.std(dims), rtol=1e-6)
    ratio = (found / loud.x0).flatten(1)
    assert torch.allclose(ratio, ratio[:, :1].expand_as(ratio)), "every pixel of a picture by one number"
    assert torch.allclose(ratio, ratio[0, 0].expand_as(ratio)) == joint, (
        "and of all views, where they are one object's"
    )


def test_half_is_half_way_and_nothing_is_nothing() -> None:
    loud, plain, _ = predictions()
    none, half, full = (rescaled(loud, plain, share, T, SCHEDULE, False) for share in (0.0, 0.5, 1.0))
    assert none is loud and torch.allclose(half.x0, (loud.x0 + full.x0) / 2)


def test_noise_and_clean_picture_stay_two_readings_of_one_noisy_picture() -> None:
    loud, plain, x_t = predictions()
    found = rescaled(loud, plain, 0.7, T, SCHEDULE, True)
    a, sig = SCHEDULE.signal_and_noise(T, x_t)
    assert torch.allclose(a * found.x0 + sig * found.eps, x_t, atol=1e-12)


def gradient_of(method: Sds, prior: AnalyticPrior) -> Tensor:
    x = torch.rand(
        3, 1, 4, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64
    ).requires_grad_()
    prompts = Prompts(Condition(prior.embed("a ramp")), Condition(prior.embed("")))
    method.loss(x, T, prompts, prior, None, torch.Generator().manual_seed(1)).loss.backward()
    return 3 * x.grad


@pytest.mark.parametrize("kind", [AnalyticPrior, JointAnalyticPrior])
def test_high_guidance_pulls_less_far_when_it_is_rescaled(kind: type) -> None:
    ramp = torch.linspace(-0.8, 0.8, 16).view(1, 4, 4)
    options = {"rho": 0.5} if kind is JointAnalyticPrior else {}
    prior = kind({"": gaussian(0 * ramp), "a ramp": gaussian(ramp)}, **options)
    norms = [gradient_of(Sds(20.0, "denoise", share), prior).norm().item() for share in (0.0, 0.5, 1.0)]
    assert norms[0] > 1.5 * norms[1] > 1.5 * norms[2]


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_an_error_in_noise_is_an_error_in_the_clean_picture(share: float) -> None:
    """HiFA's identity (arXiv 2305.18766): w (eps_guided - eps) = w (a / sig) (x - x0), for every weight."""
    ramp = torch.linspace(-0.8, 0.8, 16).view(1, 4, 4)
    prior = AnalyticPrior({"": gaussian(0 * ramp), "a ramp": gaussian(ramp)})
    a, sig = prior.schedule.signal_and_noise(T, torch.zeros(3, 1, 1, 1, dtype=torch.float64))
    distance = gradient_of(Sds(7.5, "denoise", share), prior)
    for weighting, weight in (("uniform", 1), ("sds", sig**2), ("fantasia3d", a * sig**2)):
        found = gradient_of(Sds(7.5, weighting, share), prior)
        assert torch.allclose(found, weight * a / sig * distance, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("t", "expected"), list(zip(TIMES, (-12.359740, -34.997654, -38.170511))))
def test_clean_picture_distance_worked_out_by_hand(
    t: int, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guidance 50, not rescaled: x - x0."""
    monkeypatch.setattr(sds, "noise_like", known_noise)
    prior = scalar_prior()
    assert gradients(Sds(50.0, "denoise"), prior, START, t).item() == pytest.approx(expected, abs=1e-5)
    a, sig, _ = constants(prior, t)
    assert gradients(Sds(50.0, "uniform"), prior, START, t).item() == pytest.approx(
        a / sig * expected, abs=1e-4
    )


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_sds_with_the_weight_denoise_is_mvdreams_distance_to_the_rescaled_clean_picture(share: float) -> None:
    """x - (phi factor + 1 - phi) x0_w, factor = std(x0_c) / std(x0_w) over all views, channels and pixels of
    the object.
    """
    ramp = torch.linspace(-0.8, 0.8, 16).view(1, 4, 4)
    prior = JointAnalyticPrior({"": gaussian(0 * ramp), "a ramp": gaussian(ramp)}, rho=0.5)
    x = torch.rand(
        4, 1, 4, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64
    ).requires_grad_()
    t, rng = torch.full((4,), 600), torch.Generator().manual_seed(1)
    prompts = Prompts(Condition(prior.embed("a ramp")), Condition(prior.embed("")))
    eps = noise_like(x, torch.Generator().manual_seed(1))
    Sds(50.0, "denoise", share).loss(x, t, prompts, prior, None, rng).loss.backward()
    x_t = prior.schedule.add_noise(x.detach(), eps, t)
    nothing, plain = (prior.predict(x_t, t, told).x0 for told in (prompts.empty, prompts.positive))
    loud = nothing + 50 * (plain - nothing)
    factor = plain.flatten().std() / loud.flatten().std()
    wanted = share * factor * loud + (1 - share) * loud
    assert torch.allclose(4 * x.grad, x.detach() - wanted, rtol=0, atol=1e-6)
    assert (share == 1) == torch.isclose(wanted.std(), plain.std(), rtol=1e-6).item()


def test_views_that_disagree_are_brought_together_faster_than_a_common_error() -> None:
    """With four views of correlation 0.9 a common error is pulled back by 0.4567, a disagreement by 0.6121 (t
    = 500).
    """
    prior = JointAnalyticPrior({"": gaussian(0.0), "a cup": gaussian(0.0)}, rho=0.9)
    prompts = Prompts(*(Condition(prior.embed(prompt)) for prompt in ("a cup", "")))
    for error, expected in (([1.0, 1.0, 1.0, 1.0], 0.4567), ([1.0, -1.0, 1.0, -1.0], 0.6121)):
        found = []
        for sign in (1.0, -1.0):  # two opposite noises: their mean is that over all
            x = torch.tensor(error, dtype=torch.float64).view(4, 1, 1, 1).requires_grad_()
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sds, "noise_like", lambda start, rng, sign=sign: torch.full_like(start, sign))
                Sds(1.0, "uniform").loss(
                    x, torch.full((4,), 500), prompts, prior, None, torch.Generator()
                ).loss.backward()
            found.append(4 * x.grad.flatten() / torch.tensor(error))
        assert torch.stack(found).mean(0).tolist() == pytest.approx([expected] * 4, abs=1e-4)
