"""SDS against its closed form. For Gaussian data with mean m and std s_d, guided to mu_w = m_u + s (m_c -
m_u):

E[gradient] = w sig a (x - mu_w) / v, and its std over the noise is w a^2 s_d^2 / v, with v = a^2 s_d^2 +
sig^2.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from engine.core.noise_schedule import NoiseSchedule, zero_terminal_snr
from engine.errors import InputError
from engine.guidance import sds
from engine.guidance.sds import Sds
from engine.prior import sampling
from engine.prior.analytic import AnalyticPrior, CountingPrior, gaussian
from engine.prior.base import Condition, Prediction, Prompts, guided
from engine.prior.sampling import scale_at

STD, EMPTY, CUP, UGLY = 0.5, 0.3, 1.1, -0.7
TIMES = (100, 500, 900)
SCALES = (1.0, 7.5, 100.0)


@pytest.fixture
def prior() -> AnalyticPrior:
    return AnalyticPrior({"": gaussian(EMPTY, STD), "a cup": gaussian(CUP, STD), "ugly": gaussian(UGLY, STD)})


def prompts_of(prior: AnalyticPrior, negative: str | None = None) -> Prompts:
    told = [Condition(prior.embed(prompt)) for prompt in ("a cup", "")]
    return Prompts(*told, negative=None if negative is None else Condition(prior.embed(negative)))


def gradients(
    method: Sds,
    prior: AnalyticPrior,
    x: float,
    t: int,
    batch: int = 1,
    negative: str | None = None,
    seed: int = 0,
) -> Tensor:
    """What reaches each of ``batch`` equal numbers ``x``, (batch,)."""
    start = torch.full((batch, 1, 1, 1), x, dtype=torch.float64, requires_grad=True)
    rng = torch.Generator().manual_seed(seed)
    out = method.loss(
        start, torch.full((batch,), t), prompts_of(prior, negative), prior, method.init(prior, None, rng), rng
    )
    out.loss.backward()
    return start.grad.flatten() * batch


def constants(prior: AnalyticPrior, t: int) -> tuple[float, float, float]:
    a, sig = (
        part.item()
        for part in prior.schedule.signal_and_noise(torch.tensor([t]), torch.zeros(1, dtype=torch.float64))
    )
    return a, sig, a**2 * STD**2 + sig**2


@pytest.fixture
def known_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sds, "noise_like", lambda x, rng: torch.full_like(x, 0.25))


def text_anchored(unconditional: Prediction, conditional: Prediction, scale: float) -> Prediction:
    """The other convention, c + s (c - u), which some code bases mean by the same number."""
    return guided(unconditional, conditional, scale + 1)


DIFFUSERS = {100: -0.442708, 500: -1.771087, 900: -0.506955}
TEXT_ANCHORED = {100: -0.521733, 500: -2.097658, 900: -0.601108}


@pytest.mark.usefixtures("known_noise")
@pytest.mark.parametrize("t", TIMES)
class TestNumbersWorkedOutByHand:
    """x = 2, eps = 0.25, guidance 7.5, w = 1 - abar."""

    def test_guidance_is_diffusers(self, prior: AnalyticPrior, t: int) -> None:
        assert gradients(Sds(7.5), prior, 2.0, t).item() == pytest.approx(DIFFUSERS[t], abs=1e-5)

    def test_the_text_anchored_form_differs(
        self, prior: AnalyticPrior, t: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sampling, "guided", text_anchored)
        anchored = gradients(Sds(7.5), prior, 2.0, t).item()
        assert anchored == pytest.approx(TEXT_ANCHORED[t], abs=1e-5)
        assert abs(anchored - DIFFUSERS[t]) > 0.05

    def test_text_anchored_guidance_is_ours_plus_one(self, prior: AnalyticPrior, t: int) -> None:
        assert gradients(Sds(8.5), prior, 2.0, t).item() == pytest.approx(TEXT_ANCHORED[t], abs=1e-5)

    def test_a_negative_prompt_takes_the_place_of_the_empty_one(self, prior: AnalyticPrior, t: int) -> None:
        a, sig, v = constants(prior, t)
        away = UGLY + 7.5 * (CUP - UGLY)
        expected = sig**2 * (sig * (a * 2.0 + sig * 0.25 - a * away) / v - 0.25)
        assert gradients(Sds(7.5), prior, 2.0, t, negative="ugly").item() == pytest.approx(expected, abs=1e-9)

    def test_weight_denoise_is_the_distance_to_the_guided_clean_picture(
        self, prior: AnalyticPrior, t: int
    ) -> None:
        a, sig, _ = constants(prior, t)
        w = {
            name: gradients(Sds(7.5, name), prior, 2.0, t).item()
            for name in ("sds", "uniform", "fantasia3d", "denoise")
        }
        assert w["denoise"] == pytest.approx(w["uniform"] * sig / a, rel=1e-9)
        assert w["sds"] == pytest.approx(w["uniform"] * sig**2, rel=1e-9)
        assert w["fantasia3d"] == pytest.approx(w["uniform"] * a * sig**2, rel=1e-9)


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("scale", SCALES)
def test_mean_and_spread_over_noise(prior: AnalyticPrior, t: int, scale: float) -> None:
    """Within four standard errors: std / sqrt(N) of the mean, std / sqrt(2 N) of the std; the spread knows
    neither s nor x.
    """
    draws, x = 200_000, 2.0
    a, sig, v = constants(prior, t)
    found = gradients(Sds(scale, "uniform"), prior, x, t, batch=draws)
    spread = a**2 * STD**2 / v
    mean = sig * a * (x - (EMPTY + scale * (CUP - EMPTY))) / v
    assert abs(found.mean().item() - mean) < 4 * spread / math.sqrt(draws)
    assert abs(found.std().item() - spread) < 4 * spread / math.sqrt(2 * draws)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("weighting", ["uniform", "denoise"])
def test_descent_ends_at_the_guided_mean(prior: AnalyticPrior, scale: float, weighting: str) -> None:
    """A point beyond the data's mean, whatever the time: SDS finds an estimate and never a sample."""
    x, goal = 2.0, EMPTY + scale * (CUP - EMPTY)
    for step in range(60):
        t = (300, 500, 700)[step % 3]
        x -= 0.9 * gradients(Sds(scale, weighting), prior, x, t, batch=2048, seed=step).mean().item()
    assert x == pytest.approx(goal, abs=1e-2 * abs(goal))


def test_cost_is_two_forward_passes_and_none_back(prior: AnalyticPrior) -> None:
    counted = CountingPrior(prior)
    gradients(Sds(7.5), counted, 2.0, 500, batch=3)
    assert (counted.forwards, counted.backwards) == (2, 0)


class SpoiltPrior(AnalyticPrior):
    """Answers with not-a-number and infinity in the first two of the batch."""

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        good = super().predict(x_t, t, condition)
        eps, x0 = good.eps.clone(), good.x0.clone()
        eps[0], x0[0], eps[1], x0[1] = math.nan, math.nan, math.inf, -math.inf
        return Prediction(eps, x0)


@pytest.mark.parametrize("weighting", ["sds", "denoise"])
def test_what_is_not_finite_never_reaches_the_scene(prior: AnalyticPrior, weighting: str) -> None:
    spoilt = SpoiltPrior(prior.concepts)
    x = torch.full((4, 1, 1, 1), 2.0, requires_grad=True)
    method, rng = Sds(7.5, weighting), torch.Generator().manual_seed(0)
    out = method.loss(x, torch.full((4,), 500), prompts_of(prior), spoilt, None, rng)
    out.loss.backward()
    assert torch.isfinite(out.loss) and x.grad.flatten()[:2].tolist() == [0.0, 0.0]
    assert x.grad.flatten()[2:].abs().min() > 0
    assert out.metrics["not_finite"] == 0.5 and math.isfinite(out.metrics["gradient_norm"])


def test_denoise_weight_needs_no_division_where_no_signal_is_left(prior: AnalyticPrior) -> None:
    """At the end of a zero-terminal-SNR schedule a = 0: the clean picture is the guided mean, and the
    gradient leads there.
    """
    schedule: NoiseSchedule = zero_terminal_snr(prior.schedule)
    last = AnalyticPrior(prior.concepts, schedule)
    assert schedule.alphas_cumprod[-1] == 0
    goal = EMPTY + 7.5 * (CUP - EMPTY)
    assert gradients(Sds(7.5, "denoise"), last, 2.0, 999).item() == pytest.approx(2.0 - goal, abs=1e-12)


def test_knobs_out_of_range_are_refused() -> None:
    for bad in (0.5, 101.0, math.nan):
        with pytest.raises(InputError, match="guidance_scale"):
            Sds(bad)
    with pytest.raises(InputError, match="fantasia3d"):
        Sds(weighting="nonsense")


@pytest.mark.parametrize("rescale", [0.0, 0.5])
def test_below_the_interval_guidance_is_off_and_costs_one_pass(rescale: float) -> None:
    """arXiv 2404.07724: above the bound as with guidance everywhere, below it as without, at the first pass
    alone.
    """
    prior = CountingPrior(AnalyticPrior({"": gaussian(EMPTY, STD), "a cup": gaussian(CUP, STD)}))
    method = Sds(guidance_scale=7.5, guidance_rescale=rescale, guidance_t_min=0.5)
    x = torch.full((1, 1, 1, 1), 2.0)
    for t, passes, scale in ((400, 1, 1.0), (600, 2, 7.5)):
        prior.reset()
        seen = method.predict(x, torch.tensor([t]), prompts_of(prior), prior)
        assert prior.forwards == passes
        same = Sds(guidance_scale=scale, guidance_rescale=rescale).predict(
            x, torch.tensor([t]), prompts_of(prior), prior
        )
        assert torch.equal(seen.eps, same.eps)
    assert (method.cost.forwards, method.cost.most) == (1, 2)
    assert scale_at(torch.tensor([400, 600]), prior.schedule, 7.5, 0.5) == 7.5  # one of them is above
