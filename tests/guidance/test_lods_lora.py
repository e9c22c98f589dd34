"""LODS with an adapter on the null branch, on a prior whose network is linear."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engine.guidance.cost import COMPARE_STEPS
from engine.guidance.learned.null_branch import NullAdapter
from engine.guidance.lods import Lods
from engine.guidance.lods_lora import SCALE, LodsLora
from engine.guidance.sds import Sds
from engine.loop.guidance_state import make_side_optimiser
from engine.prior.analytic import AnalyticPrior, CountingPrior, gaussian
from engine.prior.base import Condition, Prompts
from tests.guidance.networks import LinearPrior

STD, EMPTY, CUP = 0.5, 0.3, 1.1


@pytest.fixture
def prior() -> LinearPrior:
    return LinearPrior({"": gaussian(EMPTY, STD), "a cup": gaussian(CUP, STD)})


def prompts_of(prior: AnalyticPrior) -> Prompts:
    return Prompts(*(Condition(prior.embed(prompt)) for prompt in ("a cup", "")))


def fresh(prior: LinearPrior) -> NullAdapter:
    return LodsLora().init(prior, prompts_of(prior), torch.Generator().manual_seed(0))


def gradients(
    method: Lods | LodsLora | Sds, prior: AnalyticPrior, state: object, t: int, batch: int = 8
) -> Tensor:
    x, rng = (
        torch.full((batch, 1, 1, 1), 2.0, dtype=torch.float64, requires_grad=True),
        torch.Generator().manual_seed(4),
    )
    out = method.loss(x, torch.full((batch,), t), prompts_of(prior), prior, state, rng)
    return torch.autograd.grad(out.loss, x)[0].flatten() * batch


@pytest.mark.parametrize("t", [100, 500, 900])
@pytest.mark.parametrize("scale", [1.0, 7.5, 100.0])
def test_with_nothing_learned_it_is_sds_divided_by_its_scale(
    prior: LinearPrior, t: int, scale: float
) -> None:
    normalised = gradients(LodsLora(scale), prior, fresh(prior), t)
    assert torch.allclose(scale * normalised, gradients(Sds(scale), prior, None, t), rtol=0, atol=1e-10)


@pytest.mark.parametrize("t", [100, 500, 900])
def test_with_another_mean_learned_it_is_lods_with_that_mean(prior: LinearPrior, t: int) -> None:
    """The adapter at half strength, taught twice the change, is the null prompt 0.9 of the other variant."""
    state, other = fresh(prior), Lods().init(prior, prompts_of(prior), torch.Generator())
    prior.teach(state.adapter, t, EMPTY, 0.9, STD)
    state.adapter.up["0"].weight.data /= SCALE
    torch.nn.init.constant_(other.tokens, 0.9)
    assert torch.allclose(
        gradients(LodsLora(1000.0), prior, state, t), gradients(Lods(1000.0), prior, other, t), atol=1e-6
    )


def test_it_learns_the_picture_and_tells_so_until_it_forgets(prior: LinearPrior) -> None:
    at_t = LinearPrior(prior.concepts)
    at_t.info = replace(prior.info, time_range=(0.5, 0.5))
    method, state, x = LodsLora(reset_steps=150), fresh(at_t), torch.full((64, 1, 1, 1), 2.0)
    rng = torch.Generator().manual_seed(2)
    optimiser, told = make_side_optimiser(state, 0.03), []
    for _ in range(150):
        out = method.loss(x, torch.full((64,), 500), prompts_of(at_t), at_t, state, rng)
        told.append(out.metrics["null_convergence"])
        if state.read_out.steps < 150:
            optimiser.zero_grad()
            out.side_loss().backward()
            optimiser.step()
    assert told[0] == 0 and told[148] > 0.8
    assert torch.equal(gradients(method, at_t, state, 500), gradients(method, at_t, fresh(at_t), 500)), (
        "all is forgotten"
    )


def test_scene_and_adapter_share_no_gradient_and_the_cost_is_as_lods(prior: LinearPrior) -> None:
    counted, state, x = CountingPrior(prior), fresh(prior), torch.full((3, 1, 1, 1), 2.0, requires_grad=True)
    out = LodsLora().loss(
        x, torch.full((3,), 500), prompts_of(prior), counted, state, torch.Generator().manual_seed(0)
    )
    out.loss.backward()
    pushed = x.grad.clone()
    assert (counted.forwards, counted.backwards) == (2, 0) and all(
        part.grad is None for part in state.parameters()
    )
    out.side_loss().backward()
    assert (counted.forwards, counted.backwards) == (3, 1) and torch.equal(x.grad, pushed)
    assert state.adapter.up["0"].weight.grad.abs().max() > 0 and prior.network[0].weight.grad is None


def test_the_read_out_costs_one_pass_in_ten_steps(prior: LinearPrior) -> None:
    counted, state, rng, x = (
        CountingPrior(prior),
        fresh(prior),
        torch.Generator(),
        torch.full((3, 1, 1, 1), 2.0),
    )
    for _ in range(COMPARE_STEPS):
        LodsLora().loss(x, torch.full((3,), 500), prompts_of(prior), counted, state, rng)
    assert counted.forwards == 2 * COMPARE_STEPS + 1
