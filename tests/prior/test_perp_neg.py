"""Perp-Neg: perpendicular to the prompt, the same for one view and many, and with the weights that were
worked out by hand.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.core.cameras import Cameras, orbit_cameras
from engine.prior.analytic import AnalyticPrior, CountingPrior, gaussian
from engine.prior.base import Condition, Prediction, Prompts, TextEmbedding, Unwanted, guided
from engine.prior.perp_neg import (
    FRONT_BACK,
    FRONT_SIDE,
    SIDE_BACK,
    SIDE_FRONT,
    falloff,
    perpendicular,
    repelled,
    unwanted_views,
    unwanted_weights,
)
from engine.prior.sampling import predict_guided
from engine.prior.view_prompts import WORDS, ViewPromptEncoder, view_weights

NOTHING, POSITIVE, FIRST, SECOND = (0.1, 0.2, -0.1), (0.5, 0.1, 0.3), (-0.2, 0.4, 0.6), (0.3, 0.3, -0.2)
SCALE = 7.5


def random_pictures(seed: int, batch: int = 3) -> Tensor:
    return torch.randn(batch, 4, 5, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def around(azimuths: list[float], elevation: float = 10.0) -> Cameras:
    return orbit_cameras(azimuths, elevation, 3.0, 40.0, 8)


def test_what_is_left_is_perpendicular_in_each_picture_and_the_rest_is_along() -> None:
    y, x = random_pictures(0), random_pictures(1)
    found = perpendicular(y, x)
    assert (found * x).sum((1, 2, 3)).abs().max() < 1e-12
    ratio = ((y - found) / x).flatten(1)
    torch.testing.assert_close(ratio, ratio[:, :1].expand_as(ratio))
    torch.testing.assert_close(perpendicular(found, x), found)


def test_of_a_multiple_nothing_is_left_and_of_nothing_all() -> None:
    x = random_pictures(2)
    assert perpendicular(-3 * x, x).abs().max() < 1e-12
    assert torch.equal(perpendicular(x, torch.zeros_like(x)), x)


class ThreeNumbers:
    """Says the vector that it is told, as noise, and the clean picture that belongs to it at a = 0.6, sig =
    0.8.
    """

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        eps = condition.text.tokens.view(1, 3, 1, 1).expand(len(x_t), 3, 1, 1)
        return Prediction(eps, (x_t - 0.8 * eps) / 0.6)


def told(vector: tuple[float, ...]) -> Condition:
    return Condition(TextEmbedding(torch.tensor(vector, dtype=torch.float64).view(1, 3, 1)))


def weighted(vector: tuple[float, ...], *weights: float) -> Unwanted:
    return Unwanted(told(vector), torch.tensor(weights, dtype=torch.float64))


def three_numbers(unwanted: tuple[Unwanted, ...], batch: int = 1) -> Prediction:
    x_t, prompts = (
        torch.ones(batch, 3, 1, 1, dtype=torch.float64),
        Prompts(told(POSITIVE), told(NOTHING), None, unwanted),
    )
    return predict_guided(ThreeNumbers(), x_t, torch.zeros(batch, dtype=torch.long), prompts, SCALE)


def test_vectors_worked_out_by_hand() -> None:
    away = [
        torch.tensor(v, dtype=torch.float64).sub(torch.tensor(NOTHING)).view(1, 3, 1, 1)
        for v in (FIRST, SECOND, POSITIVE)
    ]
    assert perpendicular(away[0], away[2]).flatten().tolist() == pytest.approx(
        [-0.469697, 0.242424, 0.530303], abs=1e-6
    )
    assert perpendicular(away[1], away[2]).flatten().tolist() == pytest.approx(
        [0.163636, 0.109091, -0.136364], abs=1e-6
    )
    found = three_numbers((weighted(FIRST, -1.1), weighted(SECOND, -0.6892)))
    assert found.eps.flatten().tolist() == pytest.approx([6.129164, -3.113891, -0.770136], abs=1e-6)


def test_noise_and_clean_picture_stay_two_readings_of_one_noisy_picture() -> None:
    found = three_numbers((weighted(FIRST, -1.1), weighted(SECOND, -0.6892)))
    torch.testing.assert_close(0.6 * found.x0 + 0.8 * found.eps, torch.ones(1, 3, 1, 1, dtype=torch.float64))


def test_weights_of_nothing_are_plain_guidance() -> None:
    plain = three_numbers(())
    torch.testing.assert_close(
        three_numbers((weighted(FIRST, 0.0), weighted(SECOND, 0.0))).eps, plain.eps, rtol=0, atol=1e-15
    )


@pytest.fixture(scope="module")
def prior() -> AnalyticPrior:
    """Each of four views of a mug is another picture."""
    pictures = {
        f"a mug, {word}": gaussian(torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(i)))
        for i, word in enumerate(WORDS)
    }
    return AnalyticPrior({**pictures, "": gaussian(torch.zeros(3, 6, 6))})


def prompts_at(prior: AnalyticPrior, azimuths: list[float], elevation: float = 10.0) -> Prompts:
    words, cameras = ViewPromptEncoder.of(prior, "a mug"), around(azimuths, elevation)
    unwanted = unwanted_views(words, cameras)
    return Prompts(
        Condition(words.at(cameras), cameras), Condition(prior.embed(""), cameras), unwanted=unwanted
    )


def test_three_views_at_once_are_three_views_alone(prior: AnalyticPrior) -> None:
    """Each view with its own noise, time, words and weights: none is judged by another's noisy picture."""
    x_t, t, azimuths = (
        torch.randn(3, 3, 6, 6, generator=torch.Generator().manual_seed(9)),
        torch.tensor([100, 500, 900]),
        [20.0, 110.0, -160.0],
    )
    together = predict_guided(prior, x_t, t, prompts_at(prior, azimuths), SCALE)
    for i, azimuth in enumerate(azimuths):
        alone = predict_guided(prior, x_t[i : i + 1], t[i : i + 1], prompts_at(prior, [azimuth]), SCALE)
        torch.testing.assert_close(together.eps[i : i + 1], alone.eps, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(together.x0[i : i + 1], alone.x0, rtol=1e-4, atol=1e-3)


def test_a_guided_prediction_costs_four_passes_of_the_views(prior: AnalyticPrior) -> None:
    for scale in (1.0, SCALE):
        counted = CountingPrior(prior)
        predict_guided(
            counted,
            torch.zeros(3, 3, 6, 6),
            torch.tensor([500] * 3),
            prompts_at(prior, [0.0, 90.0, 180.0]),
            scale,
        )
        assert counted.forwards == 4


def test_the_prompts_own_direction_is_kept(prior: AnalyticPrior) -> None:
    """What Perp-Neg adds has no part along it, and is more than nothing."""
    x_t, t, prompts = torch.zeros(2, 3, 6, 6), torch.tensor([400, 600]), prompts_at(prior, [30.0, 150.0])
    nothing, positive = (prior.predict(x_t, t, condition) for condition in (prompts.empty, prompts.positive))
    added = repelled(prior, x_t, t, prompts, nothing, positive).eps - positive.eps
    along = (added * (positive.eps - nothing.eps)).sum((1, 2, 3))
    assert along.abs().max() < 1e-5 and added.flatten(1).norm(dim=1).min() > 0.01
    assert torch.equal(guided(nothing, positive, 1.0).eps, positive.eps)


@pytest.mark.parametrize(
    ("constants", "expected"),
    [
        (SIDE_BACK, [0.394, 0.2765, 0.1728, 0.0813, 0.0005]),
        (FRONT_BACK, [1.967, 1.8495, 1.7458, 1.6543, 1.5735]),
        (FRONT_SIDE, [1.574, 1.104, 0.6892, 0.3232, 0.0001]),
        (SIDE_FRONT, [1.574, 1.104, 0.6892, 0.3232, 0.0001]),
    ],
)
def test_falloffs_worked_out_by_hand(constants: tuple[float, float, float], expected: list[float]) -> None:
    assert falloff(torch.tensor([0, 0.25, 0.5, 0.75, 1]), constants).tolist() == pytest.approx(
        expected, abs=6e-5
    )


@pytest.mark.parametrize(
    ("azimuth", "front", "side"),
    [
        (0, -0.0001, -1.574),
        (45, -0.6892, -0.6892),
        (-45, -0.6892, -0.6892),
        (67.5, -1.104, -0.3232),
        (112.5, -1.6543, -0.0813),
        (135, -1.7458, -0.1728),
        (-135, -1.7458, -0.1728),
        (180, -1.967, -0.394),
    ],
)
def test_weights_round_the_object(azimuth: float, front: float, side: float) -> None:
    found = unwanted_weights(around([azimuth]))
    assert [weight.item() for weight in found] == pytest.approx([front, side], abs=1e-3)


def test_weights_never_jump_and_are_none_from_overhead() -> None:
    turning = torch.stack(unwanted_weights(around([i * 0.5 for i in range(721)])))
    assert (turning <= 0).all() and (turning[:, 1:] - turning[:, :-1]).abs().max() < 0.02
    climbing = torch.stack([torch.stack(unwanted_weights(around([40.0], 0.5 * i))) for i in range(170)])[
        ..., 0
    ]
    assert (climbing[1:] - climbing[:-1]).abs().max() < 0.02 and climbing[-1].abs().max() == 0
    assert climbing[0].max() < -0.3


def test_the_prompt_is_a_mixture_of_the_words_that_the_weights_are_about() -> None:
    """Ahead: front and side, in the shares r and 1 - r; behind: side and back."""
    shares = view_weights(around([22.5, 112.5]))
    assert shares[0].tolist() == pytest.approx([0.75, 0.25, 0, 0], abs=1e-5)
    assert shares[1].tolist() == pytest.approx([0, 0.75, 0.25, 0], abs=1e-5)


def test_masks_and_pooled_text_come_along() -> None:
    class Plain:
        def embed(self, prompt: str) -> TextEmbedding:
            return TextEmbedding(
                torch.full((1, 2, 3), float(len(prompt))), torch.tensor([[True, False]]), torch.ones(1, 5)
            )

    front, side = unwanted_views(ViewPromptEncoder.of(Plain(), "a mug"), around([10.0, 20.0]))
    assert front.condition.text.tokens.unique().item() == len("a mug, front view") and len(front.weights) == 2
    assert side.condition.text.mask.tolist() == [[True, False]] and side.condition.text.pooled.shape == (1, 5)
