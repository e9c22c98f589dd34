"""LODS against its closed forms. For Gaussian data with mean m_c and a null prompt with mean m_n, both with
std s_d:

E[gradient] = w (sig a / v) ((x - m_c) + ((1 - s) / s) (x - m_n)), its std over the noise is w a^2 s_d^2 / (s
v), and the null prompt's loss (sig a (x - m_n) / v)^2 + (a^2 s_d^2 / v)^2 is least where m_n = x. The
embedding *is* m_n here.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engine.core.cameras import orbit_cameras
from engine.errors import InputError
from engine.guidance import base, lods
from engine.guidance.cost import COMPARE_STEPS
from engine.guidance.learned.null_branch import NullEmbedding, side_shares
from engine.guidance.lods import Lods
from engine.guidance.sds import Sds
from engine.loop.guidance_state import make_side_optimiser
from engine.prior.analytic import AnalyticPrior, CountingPrior, JointAnalyticPrior, Mixture, gaussian
from engine.prior.base import Condition, Prompts, TextEmbedding

STD, EMPTY, CUP, UGLY = 0.5, 0.3, 1.1, -0.7
TIMES = (100, 500, 900)
SCALES = (1.0, 7.5, 100.0, 1000.0)


@pytest.fixture
def prior() -> AnalyticPrior:
    return AnalyticPrior({"": gaussian(EMPTY, STD), "a cup": gaussian(CUP, STD), "ugly": gaussian(UGLY, STD)})


def prompts_of(prior: AnalyticPrior, negative: str | None = None) -> Prompts:
    told = [Condition(prior.embed(prompt)) for prompt in ("a cup", "")]
    return Prompts(*told, negative=None if negative is None else Condition(prior.embed(negative)))


def null_at(prior: AnalyticPrior, mean: float) -> NullEmbedding:
    """A null prompt that has learned ``mean``."""
    state = Lods().init(prior, prompts_of(prior), torch.Generator())
    torch.nn.init.constant_(state.tokens, mean)
    return state


def pictures(x: float, batch: int) -> Tensor:
    return torch.full((batch, 1, 1, 1), x, dtype=torch.float64, requires_grad=True)


def gradients(
    method: Lods | Sds,
    prior: AnalyticPrior,
    state: NullEmbedding | None,
    x: float,
    t: int,
    batch: int = 1,
    negative: str | None = None,
    seed: int = 0,
) -> Tensor:
    """What reaches each of ``batch`` equal numbers ``x``, (batch,)."""
    start, rng = pictures(x, batch), torch.Generator().manual_seed(seed)
    out = method.loss(start, torch.full((batch,), t), prompts_of(prior, negative), prior, state, rng)
    return torch.autograd.grad(out.loss, start)[0].flatten() * batch


def constants(prior: AnalyticPrior, t: int) -> tuple[float, float, float]:
    a, sig = (
        part.item()
        for part in prior.schedule.signal_and_noise(torch.tensor([t]), torch.zeros(1, dtype=torch.float64))
    )
    return a, sig, a**2 * STD**2 + sig**2


@pytest.mark.parametrize(("t", "expected"), [(100, -0.019665), (500, -0.081210), (900, -0.023410)])
def test_numbers_worked_out_by_hand(
    prior: AnalyticPrior, t: int, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """x = 2, eps = 0.25, guidance 1000, a null prompt that has learned 0.9, w = 1 - abar."""
    monkeypatch.setattr(lods, "noise_like", lambda x, rng: torch.full_like(x, 0.25))
    assert gradients(Lods(1000.0), prior, null_at(prior, 0.9), 2.0, t).item() == pytest.approx(
        expected, abs=1e-5
    )


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("scale", [1.0, 7.5, 100.0])
@pytest.mark.parametrize("weighting", ["sds", "uniform", "fantasia3d", "denoise"])
@pytest.mark.parametrize("negative", [None, "ugly"])
def test_with_nothing_learned_it_is_sds_divided_by_its_scale(
    prior: AnalyticPrior, t: int, scale: float, weighting: str, negative: str | None
) -> None:
    state = Lods().init(prior, prompts_of(prior, negative), torch.Generator())
    normalised = gradients(Lods(scale, weighting=weighting), prior, state, 2.0, t, 3, negative)
    sds = gradients(Sds(scale, weighting), prior, None, 2.0, t, 3, negative)
    assert torch.allclose(scale * normalised, sds, rtol=0, atol=1e-10)


def test_it_begins_as_the_negative_prompt_or_the_empty_one(prior: AnalyticPrior) -> None:
    for negative, expected in ((None, EMPTY), ("ugly", UGLY)):
        state = Lods().init(prior, prompts_of(prior, negative), torch.Generator())
        assert torch.equal(state.tokens, torch.full_like(state.tokens, expected))


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("scale", SCALES)
def test_mean_and_spread_over_noise(prior: AnalyticPrior, t: int, scale: float) -> None:
    """Within four standard errors; the noise falls with the scale, which SDS's does not."""
    draws, x, learned = 100_000, 2.0, 0.9
    a, sig, v = constants(prior, t)
    found = gradients(Lods(scale, weighting="uniform"), prior, null_at(prior, learned), x, t, batch=draws)
    spread = a**2 * STD**2 / (scale * v)
    mean = sig * a / v * ((x - CUP) + (1 - scale) / scale * (x - learned))
    assert abs(found.mean().item() - mean) < 4 * spread / math.sqrt(draws)
    assert abs(found.std().item() - spread) < 4 * spread / math.sqrt(2 * draws)


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("learned", [-0.5, 2.0, 2.5])
def test_the_null_prompts_loss_is_least_at_the_picture(prior: AnalyticPrior, t: int, learned: float) -> None:
    at_t = _prior_at(prior, t)
    a, sig, v = constants(prior, t)
    state, x = null_at(at_t, learned), pictures(2.0, 200_000)
    loss = base.denoising_loss(
        x, state.conditioned(prompts_of(prior).empty, False), at_t, torch.Generator().manual_seed(1)
    )
    (pull,) = torch.autograd.grad(loss, state.tokens)
    expected = (sig * a * (2.0 - learned) / v) ** 2 + (a**2 * STD**2 / v) ** 2
    assert loss.item() == pytest.approx(expected, rel=0.03)
    assert pull.sum().item() == pytest.approx(-2 * (sig * a / v) ** 2 * (2.0 - learned), abs=0.01)


def _prior_at(prior: AnalyticPrior, t: int) -> AnalyticPrior:
    """One that is only asked at one time."""
    fraction = t / len(prior.schedule)
    return AnalyticPrior(
        prior.concepts, prior.schedule, info=replace(prior.info, time_range=(fraction, fraction))
    )


def test_the_scene_and_the_null_prompt_share_no_gradient(prior: AnalyticPrior) -> None:
    x, state, rng = pictures(2.0, 2), null_at(prior, 0.9), torch.Generator().manual_seed(0)
    out = Lods().loss(x, torch.tensor([300, 600]), prompts_of(prior), prior, state, rng)
    out.loss.backward()
    assert x.grad.abs().min() > 0 and state.tokens.grad is None
    pushed = x.grad.clone()
    out.side_loss().backward()
    assert torch.equal(x.grad, pushed) and state.tokens.grad.abs().min() > 0


def test_each_side_loss_is_a_fresh_estimate(prior: AnalyticPrior) -> None:
    state, rng = null_at(prior, 0.9), torch.Generator().manual_seed(0)
    out = Lods().loss(pictures(2.0, 2), torch.tensor([300, 600]), prompts_of(prior), prior, state, rng)
    assert not torch.equal(out.side_loss(), out.side_loss())


def distilled(
    method: Lods | Sds, prior: AnalyticPrior, steps: int, rate: float = 0.1, x: float = 2.0
) -> Tensor:
    """Numbers found by plain descent with the scene's and the null prompt's rate alike, at each step (steps,
    16).
    """
    picture, prompts, rng = pictures(x, 16), prompts_of(prior), torch.Generator().manual_seed(5)
    state = method.init(prior, prompts, rng)
    path = []
    for _ in range(steps):
        t = torch.randint(20, 980, (16,), generator=rng)
        out = method.loss(picture, t, prompts, prior, state, rng)
        push = 16 * torch.autograd.grad(out.loss, picture)[0]
        if state is not None:
            (pull,) = torch.autograd.grad(out.side_loss(), state.tokens)
            state.tokens.data -= rate * len(state.tokens) * pull
        picture.data -= rate * push
        path.append(picture.detach().flatten().clone())
    return torch.stack(path)


@pytest.mark.parametrize("scale", [7.5, 100.0, 1000.0])
def test_picture_and_null_prompt_together_end_at_the_mean_of_the_prompt(
    prior: AnalyticPrior, scale: float
) -> None:
    """And not at m_u + s (m_c - m_u), where SDS ends: 6.3, 80 and 800."""
    assert distilled(Lods(scale, weighting="uniform"), prior, 700)[-250:].mean().item() == pytest.approx(
        CUP, abs=0.15
    )


@pytest.mark.parametrize("scale", [7.5, 100.0])
def test_between_two_modes_it_seeks_their_mean_where_sds_runs_beyond(scale: float) -> None:
    """Once the null prompt explains the picture, what is left is the unguided score, whose rest is the mean
    of the modes.
    """
    modes, all_modes = (
        torch.tensor([0.8, 1.4]).view(2, 1, 1, 1),
        torch.tensor([-1, 0, 0.8, 1.4]).view(4, 1, 1, 1),
    )
    two, four = (
        Mixture(means.double(), 0.2, torch.full((len(means),), 1 / len(means)))
        for means in (modes, all_modes)
    )
    prior = AnalyticPrior({"": four, "a cup": two})
    blank = AnalyticPrior({"": gaussian(EMPTY, 0.2)}).embed("")

    class FromGaussian(Lods):
        def init(self, prior: AnalyticPrior, prompts: Prompts, rng: torch.Generator) -> NullEmbedding:
            return NullEmbedding(blank, one_prompt=True)

    found = distilled(FromGaussian(scale, weighting="uniform"), prior, 700, x=1.0)[-300:].mean().item()
    assert found == pytest.approx(1.1, abs=0.12)
    assert distilled(Sds(min(scale, 100.0), "uniform"), prior, 300, x=1.0)[-1].mean().item() > 1.6


def test_cost_is_two_passes_and_one_there_and_back(prior: AnalyticPrior) -> None:
    counted, state = CountingPrior(prior), null_at(prior, 0.9)
    out = Lods().loss(
        pictures(2.0, 3), torch.full((3,), 500), prompts_of(prior), counted, state, torch.Generator()
    )
    out.loss.backward()
    assert (counted.forwards, counted.backwards) == (2, 0)
    out.side_loss().backward()
    assert (counted.forwards, counted.backwards) == (3, 1)


def test_the_read_out_costs_one_pass_in_ten_steps(prior: AnalyticPrior) -> None:
    counted, state, rng = CountingPrior(prior), null_at(prior, 0.9), torch.Generator()
    for _ in range(3 * COMPARE_STEPS):
        Lods().loss(pictures(2.0, 3), torch.full((3,), 500), prompts_of(prior), counted, state, rng)
    assert counted.forwards == 2 * 3 * COMPARE_STEPS + 3


class TestConvergence:
    """1 - L(learned) / L(plain), from 0 on."""

    def after(
        self, prior: AnalyticPrior, state: NullEmbedding, steps: int, t: int = 500, batch: int = 4000
    ) -> float:
        rng = torch.Generator().manual_seed(0)
        times = torch.full((batch,), t)
        outs = [
            Lods().loss(pictures(2.0, batch), times, prompts_of(prior), prior, state, rng)
            for _ in range(steps)
        ]
        return outs[-1].metrics["null_convergence"]

    def test_is_zero_while_nothing_is_learned(self, prior: AnalyticPrior) -> None:
        assert self.after(prior, null_at(prior, EMPTY), COMPARE_STEPS, batch=4) == pytest.approx(0, abs=1e-12)

    @pytest.mark.parametrize("learned", [2.0, 1.5])
    @pytest.mark.parametrize("t", [500, 900])
    def test_is_the_ratio_of_the_closed_forms(self, prior: AnalyticPrior, t: int, learned: float) -> None:
        a, sig, v = constants(prior, t)
        learned_loss, plain_loss = (
            (sig * a * (2.0 - mean) / v) ** 2 + (a**2 * STD**2 / v) ** 2 for mean in (learned, EMPTY)
        )
        found = self.after(prior, null_at(prior, learned), COMPARE_STEPS, t)
        assert found == pytest.approx(1 - learned_loss / plain_loss, abs=0.02)

    def test_rises_as_the_null_prompt_learns(self, prior: AnalyticPrior) -> None:
        method, state, rng = (
            Lods(prior_learning_rate=0.04),
            null_at(prior, EMPTY),
            torch.Generator().manual_seed(3),
        )
        optimiser, told = make_side_optimiser(state, method.prior_learning_rate), []
        for _ in range(80):
            out = method.loss(pictures(2.0, 16), torch.full((16,), 500), prompts_of(prior), prior, state, rng)
            optimiser.zero_grad()
            out.side_loss().backward()
            optimiser.step()
            told.append(out.metrics["null_convergence"])
        assert told[0] == 0 and told[29] < told[49] < told[-1] and told[-1] > 0.8


def test_forgetting_brings_the_first_prompt_back(prior: AnalyticPrior) -> None:
    state, rng = Lods().init(prior, prompts_of(prior), torch.Generator()), torch.Generator()
    torch.nn.init.constant_(state.tokens, 2.0)
    learned = []
    for _ in range(20):
        Lods(reset_steps=20).loss(pictures(2.0, 1), torch.tensor([500]), prompts_of(prior), prior, state, rng)
        learned.append(state.tokens.mean().item())
    assert learned[:19] == [2.0] * 19 and learned[19] == EMPTY and state.read_out.value() == 0


class TestSides:
    """Four null prompts round the object."""

    def test_shares_are_a_partition_that_turns_smoothly(self) -> None:
        shares = side_shares(orbit_cameras([0, 45, 90, 135, 180, 225, 270, 315, 350], 10, 3.0, 40, 8))
        assert torch.allclose(shares.sum(1), torch.ones(9), atol=1e-5) and (shares >= 0).all()
        assert torch.allclose(shares[::2][:4], torch.eye(4), atol=1e-5)
        assert torch.allclose(shares[7], torch.tensor([0.5, 0, 0, 0.5]), atol=1e-5)
        turning = side_shares(orbit_cameras([0.1 * i for i in range(3601)], 10, 3.0, 40, 8))
        assert (turning[1:] - turning[:-1]).abs().max() < 2e-3

    def test_a_side_learns_from_its_own_views(self, prior: AnalyticPrior) -> None:
        cameras = orbit_cameras([0, 180], 0, 3.0, 40, 8)
        plain = Condition(prior.embed(""), cameras)
        prompts = Prompts(Condition(prior.embed("a cup"), cameras), plain)
        state, rng = Lods().init(prior, prompts, torch.Generator()), torch.Generator().manual_seed(0)
        method = Lods(null_per_side=True)
        x = torch.tensor([2.0, -1.0], dtype=torch.float64).view(2, 1, 1, 1)
        optimiser = torch.optim.Adam(state.parameters(), lr=0.06)
        for _ in range(120):
            optimiser.zero_grad()
            method.loss(x, torch.tensor([500, 500]), prompts, prior, state, rng).side_loss().backward()
            optimiser.step()
        front, left, back, right = state.tokens.flatten().tolist()
        assert (front, back) == (
            pytest.approx(2.0, abs=0.25),
            pytest.approx(-1.0, abs=0.25),
        ) and left == right == EMPTY

    def test_as_one_prompt_all_sides_move_together(self, prior: AnalyticPrior) -> None:
        """Adam does not see that each side has a quarter of the gradient: four are one."""
        paths = []
        for one_prompt in (True, False):
            state, rng = NullEmbedding(prior.embed(""), one_prompt), torch.Generator().manual_seed(0)
            optimiser = make_side_optimiser(state, 0.01)
            for _ in range(30):
                optimiser.zero_grad()
                base.denoising_loss(
                    pictures(2.0, 4), state.conditioned(prompts_of(prior).empty, False), prior, rng
                ).backward()
                optimiser.step()
            paths.append(state.tokens.detach().flatten())
        assert len(paths[0]) == 1 and len(paths[1]) == 4 and paths[0].item() > EMPTY + 0.1
        assert torch.allclose(paths[1], paths[0].expand(4), atol=1e-9)

    def test_priors_that_give_all_views_one_prompt_share_one(self) -> None:
        joint = JointAnalyticPrior({"": gaussian(EMPTY), "a cup": gaussian(CUP)}, rho=0.9)
        cameras = orbit_cameras([0, 180], 0, 3.0, 40, 8)
        prompts = Prompts(Condition(joint.embed("a cup"), cameras), Condition(joint.embed(""), cameras))
        state = Lods().init(joint, prompts, torch.Generator())
        assert len(state.tokens) == len(state.conditioned(prompts.empty, True).text.tokens) == 1


def test_half_precision_prompts_are_learned_in_float32() -> None:
    """An update of 1e-5 on a number near 1 is lost in float16."""
    state = NullEmbedding(TextEmbedding(torch.ones(1, 3, 4, dtype=torch.float16)), one_prompt=True)
    assert state.tokens.dtype == torch.float32


@pytest.mark.parametrize("one_prompt", [True, False])
def test_it_begins_as_all_that_the_prior_reads_and_pooled_text_learns_too(one_prompt: bool) -> None:
    mask, pooled = torch.tensor([[True, False]]), torch.ones(1, 5)
    text = TextEmbedding(torch.zeros(1, 2, 4), mask, pooled)
    plain = Condition(text, orbit_cameras([0, 90, 10], 0, 3.0, 40, 8))
    state = NullEmbedding(text, one_prompt)
    told = state.conditioned(plain, True).text
    views = 1 if one_prompt else 3
    assert torch.equal(told.mask, mask.expand(views, 2)) and torch.equal(told.pooled, pooled.expand(views, 5))
    optimiser = make_side_optimiser(state, 0.01)
    state.conditioned(plain, False).text.pooled.sum().backward()
    optimiser.step()
    assert torch.allclose(state.pooled, torch.full_like(state.pooled, 0.99))
    state.begin_step(1)
    assert torch.equal(state.pooled, torch.ones_like(state.pooled)), "and is forgotten"


def test_saved_and_loaded_it_goes_on(prior: AnalyticPrior) -> None:
    state, other = null_at(prior, 0.9), null_at(prior, EMPTY)
    other.load_state_dict(state.state_dict())
    assert torch.equal(state.tokens, other.tokens) and torch.equal(state.pooled, other.pooled)


def test_knobs_out_of_range_are_refused() -> None:
    for values, name in (
        ({"guidance_scale": 0.5}, "guidance_scale"),
        ({"prior_learning_rate": -1e-3}, "prior_learning_rate"),
        ({"prior_steps": 0}, "prior_steps"),
        ({"null_per_side": 1}, "null_per_side"),
    ):
        with pytest.raises(InputError, match=name):
            Lods(**values)
