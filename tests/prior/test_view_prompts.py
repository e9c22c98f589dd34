"""Words for directions: shares that sum to one, the right word where it is alone, and no jumps."""

from __future__ import annotations

import pytest
import torch

from engine.core.cameras import Cameras, orbit_cameras
from engine.prior.base import TextEmbedding
from engine.prior.view_prompts import WORDS, ViewPromptEncoder, view_weights


class WordPrior:
    """Embeds a prompt as the number of its view word, so that a mixture shows its shares."""

    def embed(self, prompt: str) -> TextEmbedding:
        asked, _, word = prompt.partition(", ")
        assert asked == "a mug"
        row = torch.eye(4)[WORDS.index(word)]
        mask = torch.arange(3)[None] < 1 + WORDS.index(word)
        return TextEmbedding(row.expand(1, 3, 4), mask=mask[:, :3], pooled=row[None])


def around(azimuths: list[float], elevation: float = 10.0) -> Cameras:
    return orbit_cameras(azimuths, elevation, 3.0, 40.0, 8)


@pytest.mark.parametrize(
    ("azimuth", "expected"),
    [
        (0, [1, 0, 0, 0]),
        (45, [0.5, 0.5, 0, 0]),
        (90, [0, 1, 0, 0]),
        (-90, [0, 1, 0, 0]),
        (135, [0, 0.5, 0.5, 0]),
        (180, [0, 0, 1, 0]),
        (-180, [0, 0, 1, 0]),
        (270, [0, 1, 0, 0]),
        (-30, [2 / 3, 1 / 3, 0, 0]),
    ],
)
def test_shares_around_the_object(azimuth: float, expected: list[float]) -> None:
    assert view_weights(around([azimuth]))[0].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("elevation", "overhead"), [(-10, 0), (45, 0), (60, 0.5), (75, 1), (89, 1)])
def test_overhead_fades_in(elevation: float, overhead: float) -> None:
    weights = view_weights(around([20.0], elevation))[0]
    assert weights[3].item() == pytest.approx(overhead, abs=1e-4)
    assert (weights[:3].sum() + weights[3]).item() == pytest.approx(1.0, abs=1e-6)


def test_shares_are_a_mixture_and_never_jump() -> None:
    azimuths = [i * 0.5 for i in range(721)]
    for elevation in (-20.0, 30.0, 58.0, 80.0):
        weights = view_weights(around(azimuths, elevation))
        torch.testing.assert_close(weights.sum(1), torch.ones(721))
        assert weights.min() >= 0 and (weights[1:] - weights[:-1]).abs().max() < 0.5 / 90 + 1e-4
    climbing = torch.cat([view_weights(around([40.0], 0.5 * i)) for i in range(170)])
    assert (climbing[1:] - climbing[:-1]).abs().max() < 0.5 / 30 + 1e-4


def test_embeddings_are_mixed_by_the_shares() -> None:
    cameras = around([0.0, 60.0, 170.0], 20.0)
    text = ViewPromptEncoder.of(WordPrior(), "a mug").at(cameras)
    weights = view_weights(cameras)
    assert text.tokens.shape == (3, 3, 4) and text.pooled.shape == (3, 4)
    torch.testing.assert_close(text.tokens, weights[:, None].expand(3, 3, 4))
    torch.testing.assert_close(text.pooled, weights)
    assert text.mask.tolist() == [[True, False, False], [True, True, False], [True, True, True]]


def test_priors_without_mask_or_pooled_text_stay_without() -> None:
    class Plain(WordPrior):
        def embed(self, prompt: str) -> TextEmbedding:
            return TextEmbedding(super().embed(prompt).tokens)

    words = ViewPromptEncoder.of(Plain(), "a mug")
    text = words.at(around([10.0, 20.0]))
    assert text.mask is None and text.pooled is None and len(words.worded.tokens) == 4


def test_a_latent_prior_reads_the_direction(tiny_pipelines: dict) -> None:
    from engine.prior.latent.stable_diffusion import load_latent

    prior = load_latent(tiny_pipelines["epsilon"])
    text = ViewPromptEncoder.of(prior, "a mug").at(around([0.0, 90.0]))
    torch.testing.assert_close(text.tokens[:1], prior.embed("a mug, front view").tokens)
    torch.testing.assert_close(text.tokens[1:], prior.embed("a mug, side view").tokens, rtol=1e-4, atol=1e-4)
