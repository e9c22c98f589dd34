"""Embedders by name; CLIP with random weights in the Hub's layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import constants

from engine.errors import InputError, MissingError
from engine.retrieval.clip_embedder import ClipEmbedder
from engine.retrieval.embedder import load_embedder
from engine.scoring import clip
from tests.scoring.tiny_clip import save_tiny_clip


def test_clip_puts_pictures_and_words_into_one_space(tmp_path: Path) -> None:
    scorer = clip.load(save_tiny_clip(tmp_path / "clip"), torch.device("cpu"))
    embedder = ClipEmbedder(scorer)
    rgba = np.random.default_rng(0).uniform(size=(3, 16, 16, 4)).astype(np.float32)
    rgba[..., :3] *= rgba[..., 3:]
    pictures, words = embedder.pictures(rgba), embedder.words(["a red mug", "boat"])
    np.testing.assert_allclose(np.linalg.norm(pictures, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(words, axis=1), 1, atol=1e-5)
    scores = scorer.scores((rgba * 255 + 0.5).astype(np.uint8), "boat")
    np.testing.assert_allclose(pictures @ words[1], scores, atol=1e-5)
    assert embedder.picture_size == 16


def test_clip_asks_to_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingError, match="MB to fetch"):
        load_embedder("clip")


@pytest.mark.parametrize("name", ["owl", "no.such.module", "engine.errors"])
def test_unknown_embedders_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="embedder"):
        load_embedder(name)
