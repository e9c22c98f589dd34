"""HiFA: SDS to the last digit in the prior's space, and its twin on the rendered pictures."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engine.core.noise_schedule import NoiseSchedule, time_weight, zero_terminal_snr
from engine.core.views import Views
from engine.guidance import hifa
from engine.guidance.base import GuidanceOut
from engine.guidance.hifa import Hifa, distance_weight
from engine.guidance.sds import Sds
from engine.prior.analytic import AnalyticPrior, CountingPrior, gaussian
from engine.prior.base import Condition, Prompts
from tests.guidance.numbers import START, TIMES, gradients, scalar_prior

T = torch.tensor([100, 500, 900])
WEIGHTINGS = ["sds", "uniform", "fantasia3d", "denoise"]


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("scale", [1.0, 7.5, 100.0])
def test_in_the_priors_space_it_is_sds(t: int, weighting: str, scale: float) -> None:
    prior = scalar_prior()
    ours, sds = (
        gradients(method, prior, START, t, batch=4, negative="ugly")
        for method in (Hifa(scale, weighting=weighting), Sds(scale, weighting))
    )
    assert torch.allclose(ours, sds, rtol=0, atol=1e-10)


def picture_prior(channels: int = 3, schedule: NoiseSchedule | None = None) -> AnalyticPrior:
    ramp = torch.linspace(-0.8, 0.8, channels * 16, dtype=torch.float64).view(channels, 4, 4)
    return AnalyticPrior({"": gaussian(0 * ramp), "a ramp": gaussian(ramp)}, schedule)


def rendered(size: int = 4) -> Views:
    generator = torch.Generator().manual_seed(3)
    rgb, alpha = (
        torch.rand(3, size, size, c, generator=generator, dtype=torch.float64).requires_grad_()
        for c in (3, 1)
    )
    return Views(rgb, alpha, torch.zeros(3, size, size, 1, dtype=torch.float64))


def asked(method: Hifa, prior: AnalyticPrior, views: Views, t: Tensor = T) -> tuple[GuidanceOut, Tensor]:
    x = prior.encode(views).detach().requires_grad_()
    prompts = Prompts(Condition(prior.embed("a ramp")), Condition(prior.embed("")))
    return method.loss(x, t, prompts, prior, None, torch.Generator().manual_seed(1)), x


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("channels", [3, 4])
def test_each_pixel_is_pulled_to_the_decoded_clean_picture(weighting: str, channels: int) -> None:
    """picture_weight w (a / sig) (picture - decode(x0)) / B; alpha only where the prior sees it."""
    prior, views = picture_prior(channels), rendered()
    out, x = asked(Hifa(2.0, 0.3, weighting), prior, views)
    out.picture_loss(views).backward()
    assert x.grad is None, "the prior's space has a loss of its own"
    a, sig = prior.schedule.signal_and_noise(T, views.rgb)
    weight = 0.3 * time_weight(prior.schedule, T, weighting, views.rgb) * a / sig / 3
    clean = prior.decode(out.denoised)
    torch.testing.assert_close(views.rgb.grad, weight * (views.rgb - clean.rgb).detach())
    if channels == 4:
        torch.testing.assert_close(views.alpha.grad, weight * (views.alpha - clean.alpha).detach())
    assert (views.alpha.grad is None) == (channels == 3)


def test_renders_of_another_size_are_compared_at_the_priors() -> None:
    prior, views = picture_prior(), rendered(8)
    out, _ = asked(Hifa(2.0, 1.0, "denoise"), prior, views)
    out.picture_loss(views).backward()
    small = torch.nn.functional.avg_pool2d(views.rgb.grad.permute(0, 3, 1, 2), 2) * 4
    seen = (prior.encode(views).detach() + 1) / 2
    torch.testing.assert_close(
        small, (seen - prior.decode(out.denoised).rgb.permute(0, 3, 1, 2)) / 3, rtol=1e-6, atol=1e-9
    )


def test_both_parts_end_at_the_guided_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Followed together or apart: they agree about where to go. Without guidance that is the prompt's own
    picture.
    """
    prior = picture_prior()
    goal = (prior.concepts["a ramp"].means[0] + 1).permute(1, 2, 0) / 2
    monkeypatch.setattr(hifa, "noise_like", lambda x, rng: torch.zeros_like(x))
    for only_pixels in (True, False):
        rgb = torch.full((3, 4, 4, 3), 0.4, dtype=torch.float64)
        for _ in range(60):
            views = Views(rgb.requires_grad_(), torch.ones(3, 4, 4, 1), torch.zeros(3, 4, 4, 1))
            out, _ = asked(Hifa(1.0, 1.0, "denoise"), prior, views, torch.full((3,), 500))
            (pulled,) = torch.autograd.grad(out.picture_loss(views), rgb)
            if not only_pixels:
                prompts = Prompts(Condition(prior.embed("a ramp")), Condition(prior.embed("")))
                x = prior.encode(views)
                loss = (
                    Hifa(1.0, 1.0, "denoise")
                    .loss(x, torch.full((3,), 500), prompts, prior, None, torch.Generator())
                    .loss
                )
                pulled = pulled + 0.25 * torch.autograd.grad(loss, rgb)[0]
            rgb = (rgb - 0.9 * pulled).detach()
        torch.testing.assert_close(rgb, goal.expand_as(rgb), rtol=0, atol=1e-3)


def test_without_a_share_nothing_is_decoded() -> None:
    prior, views = CountingPrior(picture_prior()), rendered()
    out, _ = asked(Hifa(7.5, 0.0), prior, views)
    assert out.picture_loss is None and (prior.forwards, prior.decodes) == (2, 0)
    out, _ = asked(Hifa(7.5, 0.5), prior, views)
    out.picture_loss(views)
    assert (prior.forwards, prior.backwards, prior.decodes) == (4, 0, 1)
    assert Hifa(7.5, 0.0).cost == replace(Hifa(7.5, 0.5).cost, decodes=0)


def test_weights_of_distances_need_no_division_where_no_signal_is_left() -> None:
    schedule = zero_terminal_snr(picture_prior().schedule)
    like, last = torch.zeros(1, 1, 1, 1, dtype=torch.float64), torch.tensor([len(schedule) - 1])
    assert distance_weight(schedule, last, "denoise", like).item() == 1
    assert distance_weight(schedule, last, "sds", like).item() == 0
