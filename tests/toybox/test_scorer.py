"""The offline scorer: it reads prompts as the toybox means them, and tells right pictures from wrong ones."""

from __future__ import annotations

import numpy as np
import pytest

from engine.toybox.objects import draw_object
from engine.toybox.pictures import render_object
from engine.toybox.prompt_parser import Asked, read_prompt
from engine.toybox.scorer import ToyboxScorer, load

AZIMUTHS = [45.0 * i for i in range(8)]


@pytest.mark.parametrize(("prompt", "asked"), [
    ("a red mug with a blue handle", [Asked("mug", {"body": "red", "handle": "blue"})]),
    ("A blue-handled crimson cup!", [Asked("mug", {"body": "red", "handle": "blue"})]),
    ("a dark green snow man with a navy hat", [Asked("snowman", {"body": "dark green", "hat": "dark blue"})]),
    ("a sword with a brown handle", [Asked("sword", {"hilt": "brown"})]),
    ("a car and a blue house", [Asked("car"), Asked("house", {"body": "blue"})]),
    ("a mug with yellow wings", [Asked("mug")]),
    ("a unicorn", []),
])  # fmt: skip
def test_prompts_are_read(prompt: str, asked: list[Asked]) -> None:
    assert list(read_prompt(prompt)) == asked


@pytest.fixture(scope="module")
def scorer() -> ToyboxScorer:
    return load(None, None)


@pytest.fixture(scope="module")
def mug() -> np.ndarray:
    """A true red mug with a blue handle all the way round, as pictures are given to scorers."""
    obj = draw_object(1_900_001, "mug", {"body": "red", "handle": "blue"})
    return np.round(render_object(obj, AZIMUTHS, [15.0] * 8).rgba * 255).astype(np.uint8)


def test_right_words_score_high_and_wrong_ones_low(scorer: ToyboxScorer, mug: np.ndarray) -> None:
    for prompt in ("a mug", "a red mug", "a red mug with a blue handle"):
        assert scorer.scores(mug, prompt).mean() > 0.6, prompt
    for prompt in ("a green mug", "a blue mug with a red handle", "a red bus"):
        assert scorer.scores(mug, prompt).mean() < 0.2, prompt


def test_one_of_two_objects_is_not_both(scorer: ToyboxScorer, mug: np.ndarray) -> None:
    assert scorer.scores(mug, "a mug and a bus").max() < 0.2


def test_only_the_front_looks_like_the_front(scorer: ToyboxScorer) -> None:
    obj = draw_object(1_900_002, "car", {"body": "red"})
    car = np.round(render_object(obj, AZIMUTHS, [15.0] * 8).rgba * 255).astype(np.uint8)
    fronts = scorer.fronts(car, "a red car")
    assert fronts[0] and not fronts[3:6].any()


def test_what_it_cannot_judge_it_does_not(scorer: ToyboxScorer, mug: np.ndarray) -> None:
    assert scorer.scores(mug, "a unicorn") is None and scorer.fronts(mug, "a unicorn") is None
    assert scorer.scores(mug, "a spoon") is None and scorer.fronts(mug, "a fox") is None, (
        "made, and not judged"
    )
    assert scorer.fronts(mug, "a table") is None, "a table has no front"


def test_larger_pictures_score_alike(scorer: ToyboxScorer, mug: np.ndarray) -> None:
    larger = mug.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(scorer.scores(larger, "a red mug"), scorer.scores(mug, "a red mug"), atol=1e-3)
