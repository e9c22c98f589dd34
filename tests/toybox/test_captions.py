"""Captions: true, short, in a closed vocabulary, and varied."""

from itertools import pairwise

import numpy as np
import pytest

from engine.toybox.captions import MAX_TOKENS, caption, plain_caption
from engine.toybox.objects import KINDS, ToyObject, draw_object, parts_of
from engine.toybox.part_words import PART_PARTICIPLES, PART_SYNONYMS
from engine.toybox.vocabulary import VOCABULARY
from engine.toybox.words import COLOUR_SYNONYMS, COLOURS, KIND_SYNONYMS, draw_colour, tokens


@pytest.fixture(scope="module")
def objects() -> list[ToyObject]:
    return [draw_object(100 * k + i, kind) for k, kind in enumerate(KINDS) for i in range(2)]


@pytest.fixture(scope="module")
def sentences(objects: list[ToyObject]) -> list[tuple[ToyObject, str]]:
    rng = np.random.default_rng(0)
    return [(obj, caption(obj, rng)) for obj in objects for _ in range(6)]


def test_vocabulary_is_sorted_and_small() -> None:
    assert list(VOCABULARY) == sorted(set(VOCABULARY)) and len(VOCABULARY) < 700
    assert all(tokens(word) == [word] for word in VOCABULARY)


def test_every_caption_stays_in_the_vocabulary_and_short(sentences: list[tuple[ToyObject, str]]) -> None:
    known = set(VOCABULARY)
    for obj, sentence in sentences:
        for text in (sentence, plain_caption(obj)):
            assert set(tokens(text)) <= known, text
            assert len(tokens(text)) <= MAX_TOKENS, text


def test_colours_in_a_caption_are_colours_of_the_object(sentences: list[tuple[ToyObject, str]]) -> None:
    for obj, sentence in sentences:
        true = {token for word in obj.part_colours.values() for token in _spellings(word)}
        said = set(tokens(sentence)) & _all_colour_tokens() - set(tokens(" ".join(obj.nouns)))
        assert said <= true, (sentence, obj.part_colours)


def test_a_colour_before_a_part_is_the_colour_of_that_part(sentences: list[tuple[ToyObject, str]]) -> None:
    checked = 0
    for obj, sentence in sentences:
        said = tokens(sentence)
        for part in parts_of(obj.kind)[1:]:
            names = {part, *PART_SYNONYMS.get(part, ()), PART_PARTICIPLES.get(part, part)}
            for before, word in pairwise(said):
                if word in names and before in _all_colour_tokens():
                    assert before in _spellings(obj.part_colours[part]), (sentence, part)
                    checked += 1
    assert checked > 300


def _spellings(word: str) -> set[str]:
    """All tokens with which a colour may be said."""
    return {token for phrase in (word, *COLOUR_SYNONYMS.get(word, ())) for token in tokens(phrase)}


def _all_colour_tokens() -> set[str]:
    return {token for word in COLOURS for token in _spellings(word)}


def test_natural_objects_are_described_without_colours(sentences: list[tuple[ToyObject, str]]) -> None:
    natural = [(obj, sentence) for obj, sentence in sentences if obj.natural]
    assert natural
    for obj, sentence in natural:
        assert not set(tokens(sentence)) & _all_colour_tokens(), sentence
        assert tokens(plain_caption(obj)) == [tokens(plain_caption(obj))[0], obj.kind]


def test_captions_vary_and_repeat_with_their_generator() -> None:
    obj = draw_object(4, "house", {"body": "white", "roof": "red"})
    rng = np.random.default_rng(1)
    drawn = {caption(obj, rng) for _ in range(300)}
    assert len(drawn) > 60
    assert any("red-roofed" in sentence for sentence in drawn) and any(
        "crimson" in sentence for sentence in drawn
    )
    assert any("home" in sentence for sentence in drawn)
    assert caption(obj, np.random.default_rng(7)) == caption(obj, np.random.default_rng(7))


def test_plain_captions_read_as_expected() -> None:
    assert (
        plain_caption(draw_object(0, "chair", {"body": "blue", "legs": "yellow"}))
        == "a blue chair with yellow legs"
    )
    assert (
        plain_caption(draw_object(0, "mug", {"body": "orange", "handle": "light blue"}))
        == "an orange mug with a light blue handle"
    )
    assert plain_caption(draw_object(0, "cake", {"icing": "pink"})) == "a cake with pink icing"


def test_a_synonym_names_no_second_family() -> None:
    said = [name for names in COLOUR_SYNONYMS.values() for name in names]
    assert len(said) == len(set(said)) and not set(said) & set(COLOURS)
    kinds = [name for names in KIND_SYNONYMS.values() for name in names]
    assert len(kinds) == len(set(kinds)) and not set(kinds) & set(KINDS)


def test_drawn_colours_stay_near_their_word() -> None:
    rng = np.random.default_rng(2)
    assert all(
        np.abs(draw_colour(word, rng) - COLOURS[word]).max() < 0.12 for word in COLOURS for _ in range(50)
    )
