"""The closed-form priors against autograd, quadrature, dense algebra and hand-computed numbers."""

from __future__ import annotations

import math

import pytest
import torch

from engine.core.noise_schedule import linear, scaled_linear
from engine.core.views import Views
from engine.errors import InputError
from engine.prior.analytic import AnalyticPrior, CountingPrior, JointAnalyticPrior, Mixture, gaussian
from engine.prior.base import Condition, Prediction, TextEmbedding, guided

TIMES = (100, 500, 900)


def times(t: int, batch: int = 1) -> torch.Tensor:
    return torch.full((batch,), t)


def ask(prior, prompt: str, x_t: torch.Tensor, t: torch.Tensor) -> Prediction:
    return prior.predict(x_t, t, Condition(prior.embed(prompt)))


def scalars(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1, 1)


@pytest.mark.parametrize(
    ("t", "x_t", "e_u", "e_c", "x0", "v"),
    [
        (100, 1.972576, 1.667863, 0.920773, 1.769300, 0.295279),
        (500, 1.264019, 1.187169, 0.735896, 1.213685, -0.645624),
        (900, 0.486142, 0.452054, 0.356549, 1.110679, -1.060378),
    ],
)
def test_numbers_worked_out_by_hand(t, x_t, e_u, e_c, x0, v) -> None:
    """x = 2, eps = 0.25, means 0.3 and 1.1, std 0.5, Stable Diffusion's schedule."""
    prior = AnalyticPrior({"": gaussian(0.3), "a cup": gaussian(1.1)})
    noised = prior.schedule.add_noise(scalars(2.0), scalars(0.25), times(t))
    empty, cup = ask(prior, "", noised, times(t)), ask(prior, "a cup", noised, times(t))
    a, sig = prior.schedule.signal_and_noise(times(t), noised)
    found = [noised, empty.eps, cup.eps, cup.x0, a * cup.eps - sig * cup.x0]
    assert [part.item() for part in found] == pytest.approx([x_t, e_u, e_c, x0, v], abs=1e-6)


@pytest.fixture
def mixture() -> AnalyticPrior:
    means = torch.randn(3, 2, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return AnalyticPrior({"": Mixture(means, 0.4, torch.tensor([0.5, 0.3, 0.2]))})


@pytest.mark.parametrize("t", TIMES)
def test_mixture_noise_is_the_score_of_the_noised_density(mixture: AnalyticPrior, t: int) -> None:
    x_t = torch.randn(
        5, 2, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    ).requires_grad_()
    concept = mixture.concepts[""]
    a, sig = mixture.schedule.signal_and_noise(times(t), x_t.detach()[:1])
    spread = (a**2 * concept.std**2 + sig**2).sqrt().item()
    components = torch.distributions.Independent(torch.distributions.Normal(a * concept.means, spread), 3)
    density = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(concept.weights.double()), components
    )
    (score,) = torch.autograd.grad(density.log_prob(x_t).sum(), x_t)
    torch.testing.assert_close(ask(mixture, "", x_t, times(t, 5)).eps, -sig * score, rtol=0, atol=1e-12)


@pytest.mark.parametrize("t", TIMES)
def test_clean_picture_is_the_posterior_mean(t: int) -> None:
    """x0 = E[x | x_t], by quadrature over a fine grid of x."""
    prior = AnalyticPrior({"": Mixture(scalars(-1.0, 1.0), 0.3, torch.tensor([0.25, 0.75]))})
    x = torch.linspace(-6, 6, 20001, dtype=torch.float64)
    density = 0.25 * torch.exp(-(((x + 1) / 0.3) ** 2) / 2) + 0.75 * torch.exp(-(((x - 1) / 0.3) ** 2) / 2)
    a, sig = (part.item() for part in prior.schedule.signal_and_noise(times(t), scalars(0.0)))
    for x_t in (-0.7, 0.1, 0.9):
        posterior = density * torch.exp(-(((x_t - a * x) / sig) ** 2) / 2)
        expected = (posterior * x).sum() / posterior.sum()
        assert ask(prior, "", scalars(x_t), times(t)).x0.item() == pytest.approx(expected.item(), abs=1e-9)


def test_both_readings_of_a_call_recombine_to_its_input(mixture: AnalyticPrior) -> None:
    x_t = torch.randn(4, 2, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    t = torch.tensor([0, 300, 700, 999])
    prediction = ask(mixture, "", x_t, t)
    torch.testing.assert_close(
        mixture.schedule.add_noise(prediction.x0, prediction.eps, t), x_t, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("scale", [0.0, 1.0, 7.5, 100.0])
def test_guidance_between_equal_gaussians_is_a_gaussian_further_along(scale: float) -> None:
    prior = AnalyticPrior(
        {"": gaussian(0.3), "a cup": gaussian(1.1), "guided": gaussian(0.3 + scale * 0.8)}, linear()
    )
    x_t = scalars(-1.0, 0.4, 2.0)
    t = torch.tensor(TIMES)
    mixed = guided(ask(prior, "", x_t, t), ask(prior, "a cup", x_t, t), scale)
    expected = ask(prior, "guided", x_t, t)
    torch.testing.assert_close(mixed.eps, expected.eps, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(mixed.x0, expected.x0, rtol=1e-12, atol=1e-12)


def test_joint_prior_is_the_score_of_correlated_views() -> None:
    """Against autograd of the dense multivariate normal, with another noise level on each view."""
    prior = JointAnalyticPrior({"": gaussian(torch.tensor([0.2, -0.5, 1.0]).view(3, 1, 1), 0.6)}, rho=0.7)
    x_t = torch.randn(
        4, 3, 1, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(3)
    ).requires_grad_()
    t = torch.tensor([50, 300, 600, 950])
    a, sig = (part.flatten() for part in prior.schedule.signal_and_noise(t, x_t.detach()))
    alike = 0.36 * (0.3 * torch.eye(4, dtype=torch.float64) + 0.7)
    covariance = a[:, None] * alike * a + (sig**2).diag()
    total = sum(
        torch.distributions.MultivariateNormal(a * mean, covariance).log_prob(x_t[:, c, 0, 0])
        for c, mean in enumerate(prior.concepts[""].means[0, :, 0, 0])
    )
    (score,) = torch.autograd.grad(total, x_t)
    prediction = ask(prior, "", x_t, t)
    torch.testing.assert_close(prediction.eps, -sig.view(4, 1, 1, 1) * score, rtol=0, atol=1e-12)
    torch.testing.assert_close(
        prior.schedule.add_noise(prediction.x0, prediction.eps, t), x_t, rtol=0, atol=1e-12
    )


def test_views_that_are_not_correlated_are_judged_alone() -> None:
    concepts = {"": gaussian(torch.linspace(-1, 1, 12).view(3, 2, 2), 0.5)}
    x_t = torch.randn(3, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    alone, joint = AnalyticPrior(concepts), JointAnalyticPrior(concepts, rho=0.0)
    torch.testing.assert_close(
        ask(joint, "", x_t, times(400, 3)).x0, ask(alone, "", x_t, times(400, 3)).x0, rtol=0, atol=1e-12
    )
    assert joint.info.joint_views and not alone.info.joint_views


def test_correlated_views_pull_each_other() -> None:
    """A bright second view makes the first view's clean picture brighter."""
    prior = JointAnalyticPrior({"": gaussian(0.0)}, rho=0.9)
    dark = ask(prior, "", scalars(0.0, 0.0), times(500, 2)).x0[0].item()
    bright = ask(prior, "", scalars(0.0, 1.0), times(500, 2)).x0[0].item()
    assert dark == pytest.approx(0.0, abs=1e-12) and bright > 0.1


@pytest.mark.parametrize("channels", [3, 4])
def test_pictures_survive_encode_and_decode(channels: int) -> None:
    prior = AnalyticPrior({"": gaussian(torch.zeros(channels, 6, 6))})
    picture = torch.rand(2, 6, 6, 4, generator=torch.Generator().manual_seed(5))
    seen = prior.decode(prior.encode(Views(picture[..., :3], picture[..., 3:], picture[..., 3:])))
    torch.testing.assert_close(seen.rgb, picture[..., :3])
    torch.testing.assert_close(seen.alpha, picture[..., 3:] if channels == 4 else torch.ones(2, 6, 6, 1))
    assert prior.info.channels == ("rgba" if channels == 4 else "rgb")


@pytest.mark.parametrize("size", [3, 6, 13])
def test_encode_resizes_keeps_the_mean_and_passes_gradients(size: int) -> None:
    prior = AnalyticPrior({"": gaussian(torch.zeros(3, 6, 6))})
    rgb = torch.full((1, size, size, 3), 0.7, requires_grad=True)
    x = prior.encode(Views(rgb, torch.ones(1, size, size, 1), torch.zeros(1, size, size, 1)))
    torch.testing.assert_close(x, torch.full((1, 3, 6, 6), 0.4))
    x.sum().backward()
    assert rgb.grad.sum().item() == pytest.approx(2 * 3 * 36, rel=1e-5)


def test_an_embedding_can_be_learned() -> None:
    """The tokens are the mean, so the denoiser's derivative with respect to them is known: d eps / d mean =
    -sig a / v.
    """
    prior = AnalyticPrior({"": gaussian(0.3)})
    tokens = prior.embed("").tokens.clone().requires_grad_()
    condition = Condition(TextEmbedding(tokens, pooled=prior.embed("").pooled))
    prior.predict(scalars(1.0), times(500), condition).eps.sum().backward()
    a, sig = (part.item() for part in prior.schedule.signal_and_noise(times(500), scalars(0.0)))
    assert tokens.grad.item() == pytest.approx(-sig * a / (a**2 * 0.25 + sig**2), rel=1e-12)


def test_unknown_prompt_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="'a cup'"):
        AnalyticPrior({"": gaussian(0.0), "a cup": gaussian(1.0)}).embed("a plate")


def test_counter_counts_each_call_and_each_way_back_once() -> None:
    prior = CountingPrior(AnalyticPrior({"": gaussian(0.3)}))
    x_t = scalars(1.0).requires_grad_()
    prediction = ask(prior, "", x_t, times(500))
    (prediction.eps + prediction.x0).sum().backward()
    with torch.no_grad():
        ask(prior, "", x_t, times(100))
    assert (prior.forwards, prior.backwards) == (2, 1)
    plain = scalars(1.0).requires_grad_()
    direct = ask(prior.prior, "", plain, times(500))
    (direct.eps + direct.x0).sum().backward()
    torch.testing.assert_close(x_t.grad, plain.grad)
    prior.reset()
    assert (prior.forwards, prior.backwards, prior.encodes, prior.decodes) == (0, 0, 0, 0)


def test_default_schedule_is_stable_diffusions() -> None:
    prior = AnalyticPrior({"": gaussian(0.0)})
    torch.testing.assert_close(prior.schedule.alphas_cumprod, scaled_linear().alphas_cumprod)
    assert math.isclose(prior.schedule.alphas_cumprod[500].item(), 0.276333, abs_tol=1e-6)
