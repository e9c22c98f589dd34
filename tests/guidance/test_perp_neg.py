"""Perp-Neg with every method: each that compares a prompt with something else pushes away from other views
too.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.guidance import methods
from engine.guidance.base import Guidance
from engine.guidance.lods import Lods
from engine.guidance.lods_lora import LodsLora
from engine.guidance.sdi import Sdi
from engine.guidance.sds import Sds
from engine.guidance.vsd import Vsd
from engine.prior.analytic import CountingPrior, gaussian
from engine.prior.base import Condition, Prompts, Unwanted
from engine.prior.perp_neg import perpendicular
from tests.guidance.networks import LinearPrior

METHODS = {key: kind() for key, kind in methods().items()}
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=list(METHODS))
NAMES = ("", "a mug", "front", "side")
T = torch.tensor([300, 600])


@pytest.fixture(scope="module")
def prior() -> LinearPrior:
    pictures = (
        torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(i), dtype=torch.float64)
        for i in range(4)
    )
    return LinearPrior({name: gaussian(picture) for name, picture in zip(NAMES, pictures, strict=True)})


def told(prior: LinearPrior, *weights: float) -> Prompts:
    """Away from the front and the side, as hard as ``weights`` say; from nothing if there are none."""
    empty, mug, *others = (Condition(prior.embed(name)) for name in NAMES)
    unwanted = (
        Unwanted(other, torch.full((2,), weight, dtype=torch.float64))
        for other, weight in zip(others, weights)
    )
    return Prompts(mug, empty, unwanted=tuple(unwanted))


def gradient(method: Guidance, prior: LinearPrior, prompts: Prompts) -> Tensor:
    x = torch.linspace(-1, 1, 96, dtype=torch.float64).view(2, 3, 4, 4).requires_grad_()
    state = method.init(prior, prompts, torch.Generator().manual_seed(4))
    out = method.loss(x, T, prompts, prior, state, torch.Generator().manual_seed(5))
    return 2 * torch.autograd.grad(out.loss, x)[0]


@every_method
def test_weights_decide_how_hard_and_nothing_is_nothing(method: Guidance, prior: LinearPrior) -> None:
    """The push changes linearly with the weights in every method that draws its noise."""
    plain, none, half, full = (
        gradient(method, prior, told(prior, *weights))
        for weights in ((), (0.0, 0.0), (-0.5, -0.25), (-1.0, -0.5))
    )
    torch.testing.assert_close(none, plain, rtol=0, atol=1e-9)
    assert (full - plain).norm() > 0.01 * plain.norm()
    if not isinstance(method, Sdi):  # whose noise is found with Perp-Neg as well
        torch.testing.assert_close(half - plain, (full - plain) / 2, rtol=1e-6, atol=1e-8)


@every_method
def test_it_costs_two_passes_a_guided_prediction(method: Guidance, prior: LinearPrior) -> None:
    predictions = 1 + method.inversion_steps if isinstance(method, Sdi) else 1
    counted = [CountingPrior(prior) for _ in range(2)]
    for counter, weights in zip(counted, ((), (-1.0, -0.5)), strict=True):
        gradient(method, counter, told(prior, *weights))
    assert counted[1].forwards - counted[0].forwards == 2 * predictions
    assert counted[1].backwards == 0


@pytest.mark.parametrize("scale", [1.0, 7.5])
def test_sds_gets_the_perpendicular_parts_times_guidance_and_weight(prior: LinearPrior, scale: float) -> None:
    """Equal spreads: differences of predictions are differences of means, times sig a / v, whatever the
    picture.
    """
    pushed, plain = (
        gradient(Sds(scale, "uniform"), prior, told(prior, *weights)) for weights in ((-1.1, -0.6892), ())
    )
    empty, mug, front, side = (prior.concepts[name].means for name in NAMES)
    across = sum(
        weight * perpendicular(other - empty, mug - empty)
        for other, weight in ((front, -1.1), (side, -0.6892))
    )
    a, sig = prior.schedule.signal_and_noise(T, plain)
    torch.testing.assert_close(
        pushed - plain, -scale * sig * a / (a**2 * prior.std**2 + sig**2) * across, rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("method", [Lods(20.0), LodsLora(20.0)])
def test_normalised_methods_are_sds_divided_by_its_scale_here_too(
    prior: LinearPrior, method: Guidance
) -> None:
    prompts = told(prior, -1.1, -0.6892)
    torch.testing.assert_close(
        20 * gradient(method, prior, prompts), gradient(Sds(20.0), prior, prompts), rtol=0, atol=1e-9
    )


def test_what_the_adapter_of_vsd_learns_is_told_the_prompt_alone(prior: LinearPrior) -> None:
    counted, rng = CountingPrior(prior), torch.Generator().manual_seed(0)
    x, prompts, method = torch.zeros(2, 3, 4, 4, dtype=torch.float64), told(prior, -1.0, -0.5), Vsd()
    out = method.loss(x, T, prompts, counted, method.init(counted, prompts, rng), rng)
    counted.reset()
    out.side_loss().backward()
    assert (counted.forwards, counted.backwards) == (1, 1)
