"""Cutting toybox objects out of pictures whose true outlines are known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from engine.assets.images.segmentation import cut_out, surprise_of
from engine.errors import InputError
from engine.toybox.objects import draw_object
from engine.toybox.pictures import render_object

SIDE = 160
KINDS = ("mug", "robot", "lamp", "cake")


@cache
def true_picture(kind: str) -> np.ndarray:
    return render_object(draw_object(7, kind), [30.0], [15.0], SIDE).rgba[0]


def backgrounds(rng: np.random.Generator) -> dict[str, np.ndarray]:
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    table = 1 / (1 + np.exp(-60 * (y[..., None] - 0.6)))
    cloth = gaussian_filter(rng.normal(size=(SIDE, SIDE)), 5)
    shade = 1 - 0.5 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    room = (np.array([0.93, 0.95, 0.97]) * (1 - table) + np.array([0.55, 0.6, 0.75]) * table) * shade[
        ..., None
    ]
    return {
        "flat": np.full((SIDE, SIDE, 3), (0.95, 0.97, 1.0)),
        "gradient": np.array([0.95, 0.97, 1.0]) * (1 - y[..., None])
        + np.array([0.6, 0.66, 0.8]) * y[..., None],
        "noisy": np.array([0.85, 0.9, 0.97]) + rng.normal(0, 0.05, (SIDE, SIDE, 3)),
        "room": room + 0.02 * cloth[..., None] / cloth.std() + rng.normal(0, 0.012, (SIDE, SIDE, 3)),
    }


def before(rgba: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Straight RGBA bytes, opaque, of a premultiplied picture before a background."""
    rgb = np.clip(rgba[..., :3] + (1 - rgba[..., 3:]) * background, 0, 1)
    return np.concatenate(
        [(255 * rgb + 0.5).astype(np.uint8), np.full((*rgb.shape[:2], 1), 255, np.uint8)], -1
    )


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("background", ["flat", "gradient", "noisy", "room"])
def test_objects_come_out_whole(background: str) -> None:
    rng = np.random.default_rng(0)
    overlaps = []
    for kind in KINDS:
        truth = true_picture(kind)
        cut, how = cut_out(before(truth, backgrounds(rng)[background]))
        overlaps.append(iou(cut[..., 3] > 0.5, truth[..., 3] > 0.5))
        assert how == ("flat background" if background == "flat" else "border")
        assert (cut[..., :3] <= cut[..., 3:] + 1e-5).all(), "premultiplied"
    assert np.median(overlaps) > 0.85 and min(overlaps) > 0.6, dict(zip(KINDS, overlaps))


def test_the_alpha_of_a_picture_is_taken_as_it_is() -> None:
    truth = true_picture("mug")
    alpha = truth[..., 3:]
    straight = np.where(alpha > 0, truth[..., :3] / np.maximum(alpha, 1e-6), 0)
    cut, how = cut_out((255 * np.concatenate([straight, alpha], -1) + 0.5).astype(np.uint8))
    assert how == "alpha" and np.abs(cut - truth).max() < 0.01


@pytest.mark.parametrize("alpha", [0, 1])
def test_an_empty_mask_is_refused(alpha: int) -> None:
    nothing = np.full((64, 64, 4), 128, np.uint8)
    nothing[..., 3] = alpha
    with pytest.raises(InputError, match="nothing is left"):
        cut_out(nothing)


def test_a_picture_without_an_object_is_refused() -> None:
    empty = backgrounds(np.random.default_rng(1))
    for background in ("flat", "gradient"):
        with pytest.raises(InputError, match="Cutting the object out by its"):
            cut_out(before(np.zeros((SIDE, SIDE, 4)), empty[background]))


def test_confetti_is_told_instead_of_guessed() -> None:
    rng = np.random.default_rng(2)
    confetti = np.zeros((SIDE, SIDE, 4))
    for row in range(24, 130, 32):
        for column in range(24, 130, 32):
            confetti[row : row + 14, column : column + 14] = (*rng.uniform(0, 0.4, 3), 1)
    with pytest.raises(InputError, match="pieces"):
        cut_out(before(confetti, backgrounds(rng)["gradient"]))


def test_gradients_and_horizons_are_no_surprise_and_an_object_is() -> None:
    rng = np.random.default_rng(3)
    for name, most in (("flat", 1e-6), ("gradient", 0.01), ("room", 0.12)):
        background = backgrounds(rng)[name]
        assert np.quantile(surprise_of(background)[0], 0.95) < most
        marked = background.copy()
        marked[60:90, 60:90] = (0.8, 0.1, 0.1)
        assert surprise_of(marked)[0][65:85, 65:85].min() > 0.3
