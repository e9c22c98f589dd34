"""The reading lessons: what they ask, that they are true, and that an encoder learns from them."""

from __future__ import annotations

import torch

from engine.prior.toybox.text_encoder import TextEncoder
from engine.prior.toybox.tokeniser import Tokeniser, build_tokenizer
from engine.toybox.captions import plain_caption
from engine.toybox.objects import KINDS, any_kind, draw_object
from engine.toybox.training.text_encoder import (
    CAPTIONS_PER_OBJECT,
    COLOUR_WORDS,
    PART_NAMES,
    UNASKED,
    Answers,
    Lessons,
    draw_lessons,
    reading_accuracy,
    teach_reading,
)
from engine.toybox.vocabulary import VOCABULARY

TOKENISER = Tokeniser(build_tokenizer(VOCABULARY), 16)


def small_encoder() -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder(1024, 16, 32, 2, heads=2, pad=0)


def test_lessons_ask_for_every_part_of_the_object() -> None:
    lessons = draw_lessons(TOKENISER, 40, 5)
    assert len(lessons) == 5 * CAPTIONS_PER_OBJECT
    for number, seed in enumerate(range(40, 45)):
        obj, row = draw_object(seed, any_kind(seed)), number * CAPTIONS_PER_OBJECT
        told = {
            part: COLOUR_WORDS[c]
            for part, c in zip(PART_NAMES, lessons.colours[row].tolist(), strict=True)
            if c != UNASKED
        }
        assert told == dict(obj.part_colours) and KINDS[lessons.kinds[row]] == obj.kind


def test_plain_lessons_ask_only_what_the_sentence_says() -> None:
    lessons = draw_lessons(TOKENISER, 100, 30, plain=True)
    for number, seed in enumerate(range(100, 130)):
        sentence = plain_caption(draw_object(seed, any_kind(seed)))
        asked = [c for c in lessons.colours[number].tolist() if c != UNASKED]
        assert all(COLOUR_WORDS[c] in sentence for c in asked)
        assert len(asked) <= 3 and torch.equal(lessons.ids[number], TOKENISER([sentence])[0])


def test_words_that_are_padding_do_not_answer() -> None:
    encoder, answers = small_encoder(), Answers(32)
    longer = TOKENISER(["a red mug with a blue handle"])
    shorter = longer[:, :8]
    torch.testing.assert_close(answers.part_colours(encoder(longer)), answers.part_colours(encoder(shorter)))


def test_an_encoder_learns_to_read() -> None:
    lessons = draw_lessons(TOKENISER, 0, 60, plain=True)
    encoder = small_encoder()
    losses = [
        (loss, answers)
        for _, loss, answers in teach_reading(encoder, lessons, 120, batch=64, rate=5e-3, unknown=1)
    ]
    shuffled = Lessons(lessons.ids.roll(1, 0), lessons.kinds, lessons.colours, lessons.adjectives)
    right, wrong = (reading_accuracy(encoder, losses[-1][1], told) for told in (lessons, shuffled))
    assert losses[-1][0] < 0.3 * losses[0][0]
    assert right["kind"] > 0.95 and right["body"] > 0.8 and right["part"] > 0.7
    assert all(wrong[name] < 0.5 * right[name] for name in right)
