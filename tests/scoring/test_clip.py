"""CLIP as a scorer, with random weights in the Hub's layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from transformers import CLIPModel, CLIPTokenizer

from engine.errors import FileFormatError
from engine.scoring import clip, pick_score
from engine.scoring.clip import BATCH, SIDES
from tests.scoring.tiny_clip import MEAN, STD, save_tiny_clip

CPU = torch.device("cpu")
PROMPT = "a red mug"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save_tiny_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def views() -> np.ndarray:
    """Five 16-pixel pictures, whose size needs no resampling, with premultiplied colour."""
    rng = np.random.default_rng(0)
    alpha = rng.integers(0, 256, (5, 16, 16, 1))
    return np.concatenate([rng.integers(0, 256, (5, 16, 16, 3)) * alpha // 255, alpha], axis=-1).astype(
        np.uint8
    )


def by_hand(folder: Path, rgba: np.ndarray, text: str) -> np.ndarray:
    """The cosines, step by step, one picture at a time."""
    model, tokenizer = CLIPModel.from_pretrained(folder).eval(), CLIPTokenizer.from_pretrained(folder)
    cosines = []
    for picture in rgba.astype(np.float32):
        white = (picture[..., :3] + 255 - picture[..., 3:]) / 255
        pixels = torch.from_numpy((white - np.array(MEAN)) / np.array(STD)).float().permute(2, 0, 1)[None]
        with torch.no_grad():
            out = model(pixel_values=pixels, **tokenizer([text], return_tensors="pt"))
        cosines.append(float(F.cosine_similarity(out.image_embeds, out.text_embeds)))
    return np.array(cosines)


def test_scores_are_cosines_over_white(folder: Path, views: np.ndarray) -> None:
    scores = clip.load(folder, CPU).scores(views, PROMPT)
    np.testing.assert_allclose(scores, by_hand(folder, views, PROMPT), atol=1e-5)
    assert np.ptp(scores) > 1e-4, "pictures are told apart"


def test_a_reward_is_the_cosine_times_the_temperature(folder: Path, views: np.ndarray) -> None:
    model = CLIPModel.from_pretrained(folder)
    rewards = pick_score.load(folder, CPU).scores(views, PROMPT)
    np.testing.assert_allclose(
        rewards, model.logit_scale.exp().item() * by_hand(folder, views, PROMPT), rtol=1e-4
    )


def test_a_front_is_what_fits_the_words_front_view_best(folder: Path, views: np.ndarray) -> None:
    fits = np.stack([by_hand(folder, views, f"{PROMPT}, {side}") for side in SIDES])
    np.testing.assert_array_equal(clip.load(folder, CPU).fronts(views, PROMPT), fits.argmax(0) == 0)


def test_batches_and_other_sizes_change_nothing_that_matters(folder: Path, views: np.ndarray) -> None:
    scorer = clip.load(folder, CPU)
    many = np.concatenate([views] * (BATCH // len(views) + 2))
    np.testing.assert_allclose(
        scorer.scores(many, PROMPT)[: len(views)], scorer.scores(views, PROMPT), atol=1e-5
    )
    flat = np.full((1, 16, 16, 4), 200, np.uint8)
    larger = np.full((1, 50, 50, 4), 200, np.uint8)
    np.testing.assert_allclose(scorer.scores(larger, PROMPT), scorer.scores(flat, PROMPT), atol=1e-4)


def test_long_prompts_are_cut_at_what_the_model_reads(folder: Path, views: np.ndarray) -> None:
    assert np.isfinite(clip.load(folder, CPU).scores(views, "mug " * 200)).all()


def test_a_damaged_folder_is_told(tmp_path: Path) -> None:
    folder = save_tiny_clip(tmp_path)
    (folder / "preprocessor_config.json").write_text("{}")
    with pytest.raises(FileFormatError, match="fetch clip again"):
        clip.load(folder, CPU)
