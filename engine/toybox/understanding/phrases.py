"""A prompt as phrases: where one ends and the next begins, and which of them names the object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.toybox.understanding.lexicon import (
    ACTION,
    BREAK,
    COLOUR,
    KIND,
    LOOK,
    NEGATION,
    NUMBER,
    OTHER,
    PLACE,
    PLAIN,
    SILENT,
    Lexicon,
    Meaning,
    colour_of,
)

STOP = Meaning(BREAK, ",", "")
"""A comma, or another sign that parts phrases."""


@dataclass(frozen=True)
class Phrase:
    """``opening`` stands before the ``words``: *with*, *on*, *without* ...; none in the first."""

    opening: Meaning | None
    words: tuple[Meaning, ...]

    def said(self) -> str:
        """As it was written."""
        first = () if self.opening in (None, STOP) else (self.opening.said,)
        return " ".join((*first, *(word.said for word in self.words)))

    @property
    def denied(self) -> bool:
        return self.opening is not None and self.opening.role == NEGATION

    @property
    def elsewhere(self) -> bool:
        """Whether it tells of a place, a companion or an action; *in* may also tell a colour."""
        if self.opening is None or self.opening.role not in (PLACE, ACTION):
            return False
        return self.opening.said != "in" or not any(word.role in (COLOUR, LOOK) for word in self.words)


def phrases_of(words: Sequence[str], lexicon: Lexicon) -> tuple[Phrase, ...]:
    """The phrases of a prompt's words, among which signs may stand as commas."""
    phrases, opening, inside = [], None, list[Meaning]()
    for meaning in _meanings(words, lexicon):
        if meaning.said == "of" and inside and inside[-1].role == NUMBER:
            inside.append(replace(meaning, role=SILENT))  # "a pair of shoes"
            continue
        if meaning.role in (BREAK, PLACE, ACTION, NEGATION):
            if inside or opening is not None:
                phrases.append(Phrase(opening, tuple(inside)))
            opening, inside = meaning, []
        else:
            inside.append(meaning)
    return tuple(_negated([*phrases, Phrase(opening, tuple(inside))]))


def _meanings(words: Sequence[str], lexicon: Lexicon) -> list[Meaning]:
    meanings, at = [], 0
    while at < len(words):
        meaning, length = (STOP, 1) if words[at] == "," else lexicon.read(words, at)
        meanings.append(meaning)
        at += length
    return meanings


def _negated(phrases: Sequence[Phrase]) -> list[Phrase]:
    """*with no handle* is one phrase; what *and* or *or* adds to a denial is denied, too."""
    negated: list[Phrase] = []
    for phrase in phrases:
        before = negated[-1] if negated else None
        goes_on = phrase.opening is not None and phrase.opening.said in ("or", "nor")
        if (
            phrase.denied
            and before is not None
            and before.opening is not None
            and not any(w.role != PLAIN for w in before.words)
        ):
            negated.pop()
        elif before is not None and before.denied and goes_on:
            phrase = replace(phrase, opening=before.opening)
        negated.append(phrase)
    return negated


def with_one_object(phrase: Phrase, lexicon: Lexicon) -> tuple[Phrase, Meaning | None]:
    """The phrase with the last kind that it names, and that kind; others before it only describe ("a dog
    house").

    Where nothing else names one, a word that may be read otherwise does: *an orange*, *two candles*.
    """
    named = [k for k, word in enumerate(phrase.words) if word.role == KIND]
    sure = [k for k in named if not phrase.words[k].guess]
    chosen = (sure or named)[-1] if named else None
    words = list(phrase.words)
    if chosen is None:
        chosen = _other_reading(words, lexicon)
    if chosen is None:
        return phrase, None
    words = [replace(w, role=OTHER) if w.role == KIND and k != chosen else w for k, w in enumerate(words)]
    return replace(phrase, words=tuple(words)), words[chosen]


def _other_reading(words: list[Meaning], lexicon: Lexicon) -> int | None:
    """Where a thing is named by a word that was read as a colour or a part, which is replaced in
    ``words``.
    """
    for k in reversed(range(len(words))):
        noun = lexicon.noun(words[k].said) if words[k].role in (PLAIN, COLOUR) else None
        if noun is not None:
            own = words[k].role == COLOUR and not any(w.role == COLOUR for w in words[:k])
            words[k] = replace(noun, read=f"{colour_of(words[k].read)} {noun.read}" if own else noun.read)
            return k
    return None


def counted(phrase: Phrase) -> bool:
    """Whether more than one is asked for; a pair of glasses is one thing."""
    kinds = [word for word in phrase.words if word.role == KIND]
    if any(word.said == word.kind and word.kind.endswith("s") for word in kinds):
        return any(word.role == NUMBER and word.said != "pair" for word in phrase.words)
    return any(word.role == NUMBER for word in phrase.words) or any(word.plural for word in kinds)
