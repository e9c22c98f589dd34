"""Retrieval: cosines, and draws among the best only."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import InputError
from engine.prior.reference.silhouette import outline
from engine.retrieval import text_matching
from engine.retrieval.search import best, sample, shares, similarities
from engine.retrieval.text_matching import meanings, word_space


def test_the_nearest_view_counts() -> None:
    views = np.array([[[1, 0], [0, 2]], [[-1, 0], [-1, -1]]], float)
    np.testing.assert_allclose(similarities(np.array([0.0, 3.0]), views), [1, 0], atol=1e-12)
    assert similarities(np.zeros(2), views).tolist() == [0, 0]
    with pytest.raises(InputError):
        similarities(np.zeros(3), views)


def test_the_best_come_in_order() -> None:
    assert best(np.array([0.1, 0.9, 0.9, 0.5]), 3).tolist() == [1, 2, 3]
    assert best(np.array([0.1]), 3).tolist() == [0]
    with pytest.raises(InputError):
        best(np.array([0.1]), 0)


def test_draws_never_leave_the_top_k_and_follow_the_softmax() -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(size=20)
    top = best(scores, 4)
    drawn = np.array([sample(scores, 4, 0.2, rng) for _ in range(4000)])
    assert set(drawn.tolist()) == set(top.tolist())
    expected = np.exp(scores[top] / 0.2) / np.exp(scores[top] / 0.2).sum()
    np.testing.assert_allclose([(drawn == index).mean() for index in top], expected, atol=0.03)


def test_draws_tend_to_the_best_as_the_temperature_falls() -> None:
    scores = np.array([0.3, 0.9, 0.8])
    likeliest = [shares(scores, temperature)[1] for temperature in (10.0, 1.0, 0.1, 0.01, 0.0)]
    assert likeliest == sorted(likeliest) and likeliest[-1] == 1.0 and likeliest[-2] > 0.9999
    np.testing.assert_allclose(shares(scores, 1e6), 1 / 3, atol=1e-5)
    assert {sample(scores, 3, 0.0, np.random.default_rng(seed)) for seed in range(20)} == {1}


@pytest.mark.parametrize("temperature", [-1.0, float("nan"), float("inf")])
def test_impossible_temperatures_are_refused(temperature: float) -> None:
    with pytest.raises(InputError, match="temperature"):
        shares(np.array([0.1, 0.2]), temperature)


def test_an_empty_shelf_has_nothing_to_draw() -> None:
    with pytest.raises(InputError, match="nothing to draw"):
        sample(np.zeros(0), 3, 0.1, np.random.default_rng(0))


CAPTIONS = (
    "a red chair with blue legs",
    "a blue chair with red legs",
    "a red mug",
    "a dark red house",
    "an old boat",
)
SYNONYMS = {"scarlet": "red", "cup": "mug", "tea cup": "mug"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("a red chair with blue legs", 0),
        ("blue chair, red legs", 1),
        ("scarlet tea cups", 2),
        ("a houseboat of old wood", 4),
        ("a blue armchair, its legs red", 1),
    ],
)
def test_captions_that_say_the_same_are_found(query: str, found: int) -> None:
    scores = word_space(CAPTIONS, SYNONYMS).similarities(query, CAPTIONS)
    assert int(scores.argmax()) == found and 0 < scores[found] <= 1 + 1e-9


def test_the_same_words_are_alike_and_others_are_not() -> None:
    space = word_space(CAPTIONS, SYNONYMS)
    np.testing.assert_allclose([space.similarities(text, [text])[0] for text in CAPTIONS], 1)
    assert (
        space.similarities("zebra", CAPTIONS).tolist() == [0] * 5
        and not space.knows("zebra")
        and space.knows("cups")
    )
    assert space.similarities("a red zebra", CAPTIONS).max() < space.similarities("red", CAPTIONS).max()
    assert space.similarities("", CAPTIONS).tolist() == [0] * 5


def test_captions_are_read_once_and_anew_when_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    monkeypatch.setattr(
        text_matching, "meanings", lambda text, known: read.append(text) or meanings(text, known)
    )
    text_matching.read_captions.cache_clear()
    synonyms = tuple(SYNONYMS.items())
    first = text_matching.read_captions(CAPTIONS, synonyms).similarities("a red mug")
    before, expected = len(read), word_space(CAPTIONS, SYNONYMS).similarities("a red mug", CAPTIONS)
    read.clear()
    again = text_matching.read_captions(tuple(CAPTIONS), synonyms).similarities("a red mug")
    assert read == ["a red mug"] and before > 2 * len(CAPTIONS)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first, expected, atol=1e-12)
    other = text_matching.read_captions((*CAPTIONS, "a red mug"), synonyms).similarities("a red mug")
    assert other.argmax() in (2, 5) and other[5] == pytest.approx(1)


def test_words_that_say_nothing_are_left_out() -> None:
    assert meanings("A photo of the Scarlet tea cup, with glass", SYNONYMS) == ["red", "mug", "glass"]


def test_outlines_ignore_place_size_and_colour() -> None:
    picture = np.zeros((1, 60, 60, 4), np.float32)
    picture[0, 10:34, 20:32] = [0.5, 0, 0, 1]
    picture[0, 28:34, 32:40] = [0, 0.5, 0, 1]
    moved = np.roll(picture, (9, -7), (1, 2)) * np.float32([0.2, 1, 1, 1])
    larger = np.repeat(np.repeat(picture, 2, 1), 2, 2)
    for other in (moved, larger):
        np.testing.assert_allclose(outline(picture), outline(other), atol=1e-5)
    assert float(outline(picture)[0] @ outline(picture[:, ::-1])[0]) < 0.9
    np.testing.assert_allclose(np.linalg.norm(outline(picture)), 1, atol=1e-6)
    assert not outline(np.zeros((1, 8, 8, 4), np.float32)).any()
