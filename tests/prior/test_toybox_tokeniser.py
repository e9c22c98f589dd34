"""Prompts to numbers: case, punctuation, articles, unknown words, length; and the folder that it is kept
in.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from engine.prior.toybox.tokeniser import Tokeniser, build_tokenizer


@pytest.fixture
def tokeniser() -> Tokeniser:
    return Tokeniser(build_tokenizer(["red", "mug", "with", "handle", "a", "red"]), 6)


def test_case_punctuation_and_articles_do_not_count(tokeniser: Tokeniser) -> None:
    rows = tokeniser(["a red mug with a handle", "RED-mug, with the Handle!", "red mug handle"])
    assert rows[0].tolist() == rows[1].tolist() == [2, 3, 4, 5, 6, 0]
    assert rows[2].tolist() == [2, 3, 4, 6, 0, 0]


def test_the_empty_prompt_is_the_start_alone(tokeniser: Tokeniser) -> None:
    assert tokeniser(["", " ... the "]).tolist() == [[2, 0, 0, 0, 0, 0]] * 2


def test_what_does_not_fit_is_cut_off(tokeniser: Tokeniser) -> None:
    assert tokeniser(["red " * 10_000]).tolist() == [[2, 3, 3, 3, 3, 3]]


def test_unknown_words_are_named_once_in_order(tokeniser: Tokeniser) -> None:
    assert tokeniser.unknown_words("A shiny red mug, the shiny Émile's 3 mug") == ("shiny", "mile", "s", "3")
    assert tokeniser.unknown_words("a red mug") == ()
    assert tokeniser(["shiny mug"]).tolist() == [[2, tokeniser.unknown, 4, 0, 0, 0]]
    assert tokeniser.vocabulary == {"red", "mug", "with", "handle"}


def test_its_folder_is_a_transformers_tokenizer(tokeniser: Tokeniser, tmp_path: Path) -> None:
    tokeniser.save(tmp_path)
    theirs, again = PreTrainedTokenizerFast.from_pretrained(tmp_path), Tokeniser.load(tmp_path, 6)
    prompt = "A red, crimson mug!"
    assert theirs(prompt).input_ids == [3, 1, 4] and again([prompt]).tolist() == [[2, 3, 1, 4, 0, 0]]
    assert (theirs.pad_token_id, theirs.unk_token_id, theirs.bos_token_id, theirs.model_max_length) == (
        0,
        1,
        2,
        6,
    )
