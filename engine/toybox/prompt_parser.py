"""What a prompt asks for, in the toybox's own words: kinds of object, and the colour of each of their
parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.toybox.objects import KINDS, parts_of
from engine.toybox.part_words import PART_PARTICIPLES, PART_SYNONYMS
from engine.toybox.words import COLOUR_SYNONYMS, COLOURS, KIND_SYNONYMS, READ_AS, tokens


@dataclass(frozen=True)
class Asked:
    """One object of a prompt: its ``kind`` and colour words by part, the body among them where it was given
    one.
    """

    kind: str
    colours: Mapping[str, str] = field(default_factory=dict)


def read_prompt(prompt: str) -> tuple[Asked, ...]:
    """The objects that a prompt names, in order; words that are not known are read past.

    A colour belongs to the next noun: "a red mug with a blue handle". A part belongs to the object before it,
    or after it where there is none yet: "a blue-handled mug".
    """
    parts: list[tuple[str, dict[str, str]]] = []
    colour, waiting = "", dict[str, str]()
    words, at = tokens(prompt), 0
    while at < len(words):
        role, meaning, length = _read(words, at, parts[-1][0] if parts else "")
        at += length
        if role == "colour":
            colour = meaning
        elif role == "kind":
            body = {"body": colour} if colour else {}
            parts.append(
                (
                    meaning,
                    {**body, **{part: word for part, word in waiting.items() if part in parts_of(meaning)}},
                )
            )
            colour, waiting = "", {}
        elif role == "part" and colour:
            owner = parts[-1] if parts else None
            if owner is not None and _part_of(owner[0], meaning):
                owner[1][_part_of(owner[0], meaning)] = colour
            elif owner is None:
                waiting[meaning] = colour
            colour = ""
    return tuple(Asked(kind, colours) for kind, colours in parts)


def _read(words: Sequence[str], at: int, owner: str) -> tuple[str, str, int]:
    """What the words from ``at`` on say, the longest reading first: a role, its canonical word, and how many
    words it takes.

    What is a part of the object before it, the ``owner``, is that: a snowman's hat is no second object.
    """
    for length in (2, 1):
        phrase = " ".join(words[at : at + length])
        if owner and phrase in _PARTS and _part_of(owner, _PARTS[phrase]):
            return "part", _PARTS[phrase], length
        for role, meanings in (("colour", _COLOURS), ("kind", _KINDS), ("part", _PARTS)):
            if phrase in meanings:
                return role, meanings[phrase], length
    return "", "", 1


def _meanings(canonical: Sequence[str], synonyms: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Every phrase with what it means; a word of one's own wins over a synonym."""
    others = {phrase: word for word, phrases in synonyms.items() for phrase in phrases}
    return {**others, **{word: word for word in canonical}}


def _part_of(kind: str, part: str) -> str:
    """The part of a kind that a word means: "handle" is the hilt of a sword; empty if the kind has no such
    part.
    """
    own = parts_of(kind)
    if part in own:
        return part
    return next((name for name in own if part in PART_SYNONYMS.get(name, ())), "")


_COLOURS = _meanings(list(COLOURS), COLOUR_SYNONYMS)
_KINDS = {**READ_AS, **_meanings(list(KINDS), KIND_SYNONYMS)}
_PARTS = {
    **_meanings(sorted({part for kind in KINDS for part in parts_of(kind)}), PART_SYNONYMS),
    **{participle: part for part, participle in PART_PARTICIPLES.items()},
}
