"""Overlapped semantic component suppression in closed form: what is parallel to the old words is divided, the
rest stays.
"""

from __future__ import annotations

import pytest
import torch

from engine.core.noise_schedule import scaled_linear
from engine.guidance.sds import Sds
from engine.prior.analytic import AnalyticPrior, CountingPrior, gaussian
from engine.prior.base import Condition, Overlap, Prompts
from engine.prior.overlap import divided
from engine.prior.sampling import ddim, predict_guided, sampling_times

STD = 0.5
MEANS = {"": (0.0, 0.0, 0.1), "old": (0.6, 0.2, 0.1), "new": (0.5, -0.7, 0.4)}
"""Means (3,1,1) of Gaussians of one spread, so that differences of eps are multiples of differences of
means.
"""


def prior() -> AnalyticPrior:
    means = {words: torch.tensor(mean, dtype=torch.float64).view(3, 1, 1) for words, mean in MEANS.items()}
    return AnalyticPrior({words: gaussian(mean, STD) for words, mean in means.items()}, scaled_linear())


def prompts(of: AnalyticPrior, suppression: float | None, old: str = "old") -> Prompts:
    overlap = None if suppression is None else Overlap(Condition(of.embed(old)), suppression)
    return Prompts(Condition(of.embed("new")), Condition(of.embed("")), overlap=overlap)


def split() -> tuple[torch.Tensor, torch.Tensor]:
    """What of the new words is across the old ones, and what along them."""
    empty, old, new = (torch.tensor(MEANS[words], dtype=torch.float64) for words in ("", "old", "new"))
    along = ((new - empty) @ (old - empty)) / ((old - empty) @ (old - empty)) * (old - empty)
    return new - empty - along, along


def test_what_is_left_of_the_old_words_is_one_in_w() -> None:
    new, old = torch.randn(4, 3, 5, 5, dtype=torch.float64), torch.randn(4, 3, 5, 5, dtype=torch.float64)
    left = divided(new, old, 1e12)
    assert torch.allclose((left * old).sum((1, 2, 3)), torch.zeros(4, dtype=torch.float64), atol=1e-9)
    assert torch.equal(divided(new, old, 1.0), new)
    assert torch.allclose(divided(3 * old, old, 4.0), 0.75 * old)
    assert torch.allclose(divided(new, 0 * old, 4.0), new), "words that say nothing take nothing away"


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_sampling_reaches_the_effective_mean(scale: float) -> None:
    """The guided score is that of a Gaussian whose mean is m_0 + s (d_perp + d_par / W)."""
    model = prior()
    across, along = split()
    wanted = torch.tensor(MEANS[""], dtype=torch.float64) + scale * (across + along / 4)
    noise = torch.randn(1000, 3, 1, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    *_, drawn = ddim(model, prompts(model, 4.0), noise, sampling_times(model.schedule, 200), scale)
    assert torch.allclose(drawn.mean((0, 2, 3)), wanted, rtol=0.03, atol=0.03)


def test_one_changes_nothing_and_costs_nothing_and_more_costs_one_pass() -> None:
    counted = CountingPrior(prior())
    x, t = torch.randn(2, 3, 1, 1, dtype=torch.float64), torch.tensor([300, 300])
    plain = predict_guided(counted, x, t, prompts(counted.prior, None), 5.0)
    assert counted.forwards == 2
    same = predict_guided(counted, x, t, prompts(counted.prior, 1.0), 5.0)
    assert counted.forwards == 4 and torch.equal(plain.eps, same.eps)
    other = predict_guided(counted, x, t, prompts(counted.prior, 4.0), 5.0)
    assert counted.forwards == 7 and not torch.allclose(plain.eps, other.eps), (
        "3F, where the authors' code takes 4F"
    )


def test_distillation_pulls_to_the_effective_mean() -> None:
    model, scale = prior(), 3.0
    across, along = split()
    wanted = torch.tensor(MEANS[""], dtype=torch.float64) + scale * (across + along / 4)
    x = torch.zeros(1, 3, 1, 1, dtype=torch.float64, requires_grad=True)
    optimiser, rng = torch.optim.SGD([x], lr=0.1), torch.Generator().manual_seed(0)
    for _ in range(150):
        optimiser.zero_grad()
        out = Sds(guidance_scale=scale, weighting="denoise").loss(
            x, torch.tensor([600]), prompts(model, 4.0), model, None, rng
        )
        out.loss.backward()
        optimiser.step()
    assert torch.allclose(x.detach().flatten(), wanted, atol=0.12)
