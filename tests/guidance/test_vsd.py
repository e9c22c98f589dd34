"""VSD against its closed forms, on a prior whose network is linear: an adapter can make it any Gaussian at
one time.

With particles q = N(m, tau^2) and v_q = a^2 tau^2 + sig^2, gradient / w = sig ((x_t - a mu) / v - (x_t - a m)
/ v_q).
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engine.errors import InputError
from engine.guidance import vsd
from engine.guidance.sds import Sds
from engine.guidance.vsd import Vsd
from engine.loop.guidance_state import make_side_optimiser
from engine.prior.analytic import AnalyticPrior, CountingPrior, gaussian
from engine.prior.base import Condition, Prompts
from engine.prior.trainable_lora import Adapter, adapter_on
from tests.guidance.networks import LinearPrior

STD, EMPTY, CUP = 0.5, 0.3, 1.1
TIMES = (100, 500, 900)


@pytest.fixture
def prior() -> LinearPrior:
    return LinearPrior({"": gaussian(EMPTY, STD), "a cup": gaussian(CUP, STD)})


def prompts_of(prior: AnalyticPrior) -> Prompts:
    return Prompts(*(Condition(prior.embed(prompt)) for prompt in ("a cup", "")))


def adapter_of(prior: LinearPrior, t: int | None = None, mean: float = 0.0, std: float = STD) -> Adapter:
    """A fresh one, or one that knows N(``mean``, ``std``^2) at ``t``."""
    adapter = Vsd().init(prior, prompts_of(prior), torch.Generator().manual_seed(0))
    if t is not None:
        prior.teach(adapter, t, CUP, mean, std)
    return adapter


def gradients(
    method: Vsd | Sds, prior: AnalyticPrior, state: Adapter | None, x: Tensor, t: int, seed: int = 0
) -> Tensor:
    """What reaches each of the numbers ``x`` (B,)."""
    start = x.to(torch.float64).view(-1, 1, 1, 1).clone().requires_grad_()
    rng = torch.Generator().manual_seed(seed)
    out = method.loss(start, torch.full((len(x),), t), prompts_of(prior), prior, state, rng)
    return torch.autograd.grad(out.loss, start)[0].flatten() * len(x)


@pytest.mark.parametrize(("t", "expected"), [(100, -0.640875), (500, -2.283867), (900, -0.648191)])
def test_numbers_worked_out_by_hand(
    prior: LinearPrior, t: int, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """x = 2, eps = 0.25, guidance 7.5, particles N(0.8, 0.3^2), w = 1 - abar."""
    monkeypatch.setattr(vsd, "noise_like", lambda x, rng: torch.full_like(x, 0.25))
    found = gradients(Vsd(7.5), prior, adapter_of(prior, t, 0.8, 0.3), torch.tensor([2.0]), t)
    assert found.item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize(("mean", "std", "rests"), [(CUP, STD, True), (CUP, 0.3, False), (0.8, STD, False)])
def test_it_rests_only_where_the_particles_are_the_data(
    prior: LinearPrior, t: int, mean: float, std: float, rests: bool
) -> None:
    found = gradients(
        Vsd(1.0, weighting="uniform"), prior, adapter_of(prior, t, mean, std), torch.linspace(-2, 3, 32), t
    )
    assert found.abs().max() < 1e-6 if rests else found.abs().max() > 1e-3


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("weighting", ["sds", "denoise"])
def test_one_particle_and_a_perfect_adapter_are_sds(prior: LinearPrior, t: int, weighting: str) -> None:
    x = torch.full((8,), 2.0)
    perfect = gradients(Vsd(7.5, weighting=weighting), prior, adapter_of(prior, t, 2.0, 0.0), x, t)
    assert torch.allclose(perfect, gradients(Sds(7.5, weighting), prior, None, x, t), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("t", TIMES)
def test_a_new_adapter_leaves_the_classifiers_direction(prior: LinearPrior, t: int) -> None:
    """(s - 1) (eps_c - eps_u), whatever the picture: not SDS."""
    a, sig = (
        part.item()
        for part in prior.schedule.signal_and_noise(torch.tensor([t]), torch.zeros(1, dtype=torch.float64))
    )
    expected = 6.5 * sig * a * (EMPTY - CUP) / (a**2 * STD**2 + sig**2)
    found = gradients(Vsd(7.5, weighting="uniform"), prior, adapter_of(prior), torch.linspace(-2, 3, 8), t)
    assert torch.allclose(found, torch.full_like(found, expected), atol=1e-9)


def test_particles_become_samples_where_sds_collapses(prior: LinearPrior) -> None:
    """From N(-1, 0.05^2) to N(1.1, 0.5^2), with the best Gaussian adapter at every step."""

    def travelled(method: Vsd | Sds) -> Tensor:
        particles, adapter = (
            -1 + 0.05 * torch.randn(2000, generator=torch.Generator().manual_seed(1)),
            adapter_of(prior),
        )
        for step in range(300):
            t = (150, 350, 550, 750)[step % 4]
            prior.teach(adapter, t, CUP, particles.mean().item(), particles.std().item())
            particles = particles - 0.1 * gradients(method, prior, adapter, particles, t, seed=step).float()
        return particles

    samples, collapsed = travelled(Vsd(1.0, weighting="uniform")), travelled(Sds(1.0, "uniform"))
    assert samples.mean().item() == pytest.approx(CUP, abs=0.05) and samples.std().item() == pytest.approx(
        STD, abs=0.05
    )
    assert collapsed.mean().item() == pytest.approx(CUP, abs=0.05) and collapsed.std() < 0.15


def test_training_on_one_picture_leads_to_sds(prior: LinearPrior) -> None:
    at_t = LinearPrior(prior.concepts)
    at_t.info = replace(prior.info, time_range=(0.5, 0.5))
    method, adapter, rng = Vsd(7.5), adapter_of(at_t), torch.Generator().manual_seed(2)
    x, optimiser, losses = torch.full((64, 1, 1, 1), 2.0), make_side_optimiser(adapter, 0.03), []
    for _ in range(200):
        loss = method.loss(x, torch.full((64,), 500), prompts_of(at_t), at_t, adapter, rng).side_loss()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.01 * losses[0]
    found, sds = (gradients(m, at_t, adapter, x.flatten(), 500) for m in (method, Sds(7.5)))
    fresh = gradients(method, at_t, adapter_of(at_t), x.flatten(), 500)
    assert (found - sds).abs().mean() < 0.1 * (fresh - sds).abs().mean()


def test_the_scene_the_adapter_and_the_network_share_no_gradient(prior: LinearPrior) -> None:
    x, adapter = torch.full((2, 1, 1, 1), 2.0, requires_grad=True), adapter_of(prior)
    out = Vsd().loss(
        x, torch.tensor([300, 600]), prompts_of(prior), prior, adapter, torch.Generator().manual_seed(0)
    )
    out.loss.backward()
    assert x.grad.abs().min() > 0 and all(parameter.grad is None for parameter in adapter.parameters())
    pushed = x.grad.clone()
    out.side_loss().backward()
    assert torch.equal(x.grad, pushed) and adapter.up["0"].weight.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in prior.network.parameters())


def test_cost_is_three_passes_and_one_there_and_back(prior: LinearPrior) -> None:
    counted, x = CountingPrior(prior), torch.full((3, 1, 1, 1), 2.0, requires_grad=True)
    out = Vsd().loss(
        x, torch.full((3,), 500), prompts_of(prior), counted, adapter_of(prior), torch.Generator()
    )
    out.loss.backward()
    assert (counted.forwards, counted.backwards) == (3, 0)
    out.side_loss().backward()
    assert (counted.forwards, counted.backwards) == (4, 1)


def test_priors_without_a_network_are_refused() -> None:
    plain = AnalyticPrior({"": gaussian(EMPTY), "a cup": gaussian(CUP)})
    with pytest.raises(InputError, match="analytic") as error:
        Vsd().init(plain, prompts_of(plain), torch.Generator())
    assert "SDS" in error.value.remedy
    assert adapter_on(LinearPrior(plain.concepts), 2, torch.Generator()).down["0"].out_features == 2


def test_knobs_out_of_range_are_refused() -> None:
    for values, name in (
        ({"guidance_scale": 0.5}, "guidance_scale"),
        ({"prior_learning_rate": 1.0}, "prior_learning_rate"),
        ({"prior_steps": 0}, "prior_steps"),
    ):
        with pytest.raises(InputError, match=name):
            Vsd(**values)
