"""What single words and short phrases of a prompt mean to the toybox."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from engine.toybox.objects import KINDS
from engine.toybox.part_words import PART_PARTICIPLES, PART_SYNONYMS, PARTS
from engine.toybox.understanding.further_words import (
    ACTIONS,
    BETWEEN,
    COURTESIES,
    HOLDERS,
    JOINING,
    LOOKS,
    NEGATIONS,
    NUMBERS,
    PLACES,
    SHADES,
    SIZES,
)
from engine.toybox.understanding.further_words import COLOURS as FURTHER_COLOURS
from engine.toybox.wordnet.spelling import corrected
from engine.toybox.wordnet.table import nearest
from engine.toybox.words import (
    ADJECTIVE_SYNONYMS,
    ADJECTIVES,
    COLOUR_SYNONYMS,
    COLOURS,
    FILLERS,
    KIND_SYNONYMS,
    OPENINGS,
    tokens,
)

IRREGULAR: dict[str, str] = {
    "men": "man", "women": "woman", "children": "child", "people": "person", "mice": "mouse",
    "geese": "goose",
    "feet": "foot", "teeth": "tooth", "oxen": "ox", "wolves": "wolf", "knives": "knife", "leaves": "leaf",
    "loaves": "loaf",
    "shelves": "shelf", "bookshelves": "bookshelf", "halves": "half", "calves": "calf", "scarves": "scarf",
    "elves": "elf",
    "dwarves": "dwarf", "hooves": "hoof", "thieves": "thief", "wives": "wife", "lives": "life",
    "cacti": "cactus",
    "octopi": "octopus", "fungi": "fungus", "snowmen": "snowman", "policemen": "policeman",
    "firemen": "fireman",
    "rhinoceri": "rhinoceros", "hippopotami": "hippopotamus", "aircraft": "aircraft", "lenses": "lens",
    "buses": "bus",
}  # fmt: skip

KIND, COLOUR, LOOK, PLAIN, NUMBER, NEGATION, PLACE, ACTION, BREAK, SILENT, OTHER, UNKNOWN = range(12)
"""Roles of a phrase in a sentence; an ``OTHER`` names a further object."""

SURE, GOOD = 0.92, 0.9
"""A score above ``SURE`` tells a kind of that kind, below only something like it; compounds must be
``GOOD``.
"""

ARTICLES = ("a", "an", "the")

LONGEST = 3  # words of a phrase
COLOUR_WORDS = frozenset(token for phrase in (*COLOURS, *(s for g in COLOUR_SYNONYMS.values() for s in g))
                         for token in tokens(phrase))  # fmt: skip


def singulars(word: str) -> Iterator[str]:
    """What ``word`` may be the plural of, the likeliest first; nothing for a word that cannot be one."""
    if word in IRREGULAR:
        yield IRREGULAR[word]
        return
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us")):
        return
    if word.endswith("ies"):
        yield word[:-3] + "y"
    yield word[:-1]
    if word.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        yield word[:-2]


@dataclass(frozen=True)
class Meaning:
    """``said`` is read as ``read`` (the same for words that are known); a ``guess`` is only something like
    it.

    ``same`` is another name or spelling of what is read.
    """

    role: int
    said: str
    read: str
    kind: str = ""
    guess: bool = False
    plural: bool = False
    same: bool = False


@dataclass(frozen=True)
class Lexicon:
    """``vocabulary`` is what a prior was taught, ``kinds`` what can be made."""

    vocabulary: frozenset[str]
    kinds: frozenset[str]

    def read(self, words: Sequence[str], at: int) -> tuple[Meaning, int]:
        """What the words from ``at`` on mean, the longest phrase first, and how many words that takes."""
        for length in range(min(LONGEST, len(words) - at), 1, -1):
            phrase = " ".join(words[at : at + length])
            meaning = self._named(phrase) or self._coloured(phrase) or self._compound(phrase, words[at])
            if meaning is not None:
                return meaning, length
        return self._word(words[at]), 1

    def noun(self, word: str) -> Meaning | None:
        """A word that was read otherwise, as the name of a thing: *an orange*, *two candles*."""
        return self._named(word) or self._several(word) or self._similar(word)

    def _word(self, word: str) -> Meaning:
        role = NUMBER if word.isdigit() and word != "1" else _ROLES.get(word)
        if role is not None:
            read = word if word in self.vocabulary or word in ARTICLES else ""
            return Meaning(role, word, JOINING.get(word, read))
        return (
            self._named(word)
            or self._plain(word)
            or self._coloured(word)
            or self._plural(word)
            or self._similar(word)
            or self._misspelt(word)
            or Meaning(UNKNOWN, word, "")
        )

    def _named(self, phrase: str) -> Meaning | None:
        """A kind by its name or a synonym; one that cannot be made here is what of those that can is most
        like it.
        """
        kind = _KIND_NAMES.get(phrase)
        if kind is None:
            return None
        if kind not in self.kinds:
            return self._like(phrase, kind)
        known = all(token in self.vocabulary for token in phrase.split())
        return Meaning(KIND, phrase, phrase if known else kind, kind, same=True)

    def _plain(self, word: str) -> Meaning | None:
        """A word of the captions that is no kind, as far as the prior was taught it, or else what means the
        same.
        """
        if word in COLOUR_WORDS or word in _DESCRIBING:
            known = word if word in self.vocabulary else _USUAL.get(word, "")
            return Meaning(COLOUR if word in COLOUR_WORDS else PLAIN, word, known) if known else None
        if word in SIZES:
            return Meaning(PLAIN, word, SIZES[word])
        taught = word in self.vocabulary and word not in nearest()
        return Meaning(KIND if taught and word in self.kinds else PLAIN, word, word, word) if taught else None

    def _coloured(self, phrase: str) -> Meaning | None:
        """A colour by another name, or a shade of one, or what has a colour because of what it is made of."""
        if phrase in FURTHER_COLOURS:
            return Meaning(COLOUR, phrase, FURTHER_COLOURS[phrase])
        if phrase in LOOKS:
            return Meaning(LOOK, phrase, LOOKS[phrase])
        shade, _, colour = phrase.partition(" ")
        colour = FURTHER_COLOURS.get(colour, _USUAL.get(colour, colour))
        if shade not in (*SHADES, "light", "dark") or colour not in COLOURS or phrase in COLOURS:
            return None
        better = f"{SHADES.get(shade, shade)} {colour}".strip()
        return Meaning(COLOUR, phrase, better if better in COLOURS else colour)

    def _plural(self, word: str) -> Meaning | None:
        """Several of something that is known, a part or a thing."""
        part = next(
            (single for single in singulars(word) if single in _DESCRIBING and single in self.vocabulary),
            None,
        )
        return self._several(word) or (None if part is None else Meaning(PLAIN, word, part))

    def _several(self, word: str) -> Meaning | None:
        for single in singulars(word):
            meaning = self._named(single) or self._similar(single)
            if meaning is not None:
                return replace(meaning, said=word, plural=True)
        return None

    def _similar(self, word: str, least: float = 0.0) -> Meaning | None:
        return None if word in HOLDERS else self._like(word, word.replace(" ", "_"), least)

    def _like(self, said: str, lemma: str, least: float = 0.0) -> Meaning | None:
        """The nearest of the kinds that can be made, if it scores at least so much."""
        for kind, score in nearest().get(lemma, ()):
            if kind in self.kinds and score >= least:
                return Meaning(KIND, said, kind, kind, guess=score <= SURE)
        return None

    def _compound(self, phrase: str, first: str) -> Meaning | None:
        """Words that together name something: "polar bear"; a colour before a noun keeps its own meaning."""
        if first in COLOUR_WORDS or first in _DESCRIBING - _KIND_NAMES.keys() or first in _ROLES:
            return None
        meaning = self._similar(phrase, GOOD)
        if meaning is None:
            *before, last = phrase.split()
            lemmas = [" ".join((*before, single)) for single in singulars(last)]
            several = next(
                (like for lemma in lemmas if (like := self._similar(lemma, GOOD)) is not None), None
            )
            return several and replace(several, said=phrase, plural=True)
        return meaning

    def _misspelt(self, word: str) -> Meaning | None:
        """One slip away from one word that is known, and no word of English itself."""
        if word in nearest() or any(single in nearest() for single in singulars(word)):
            return None
        meant = corrected(word, self._spelt)
        if meant is None:
            return None
        return replace(self._word(meant), said=word, same=True)

    @cached_property
    def _spelt(self) -> frozenset[str]:
        names = {name for name in _KIND_NAMES if " " not in name}
        return frozenset(names | COLOUR_WORDS | _DESCRIBING | {"without"})


def _synonyms(*tables: Mapping[str, Collection[str]]) -> dict[str, str]:
    return {synonym: word for table in tables for word, group in table.items() for synonym in group}


def colour_of(word: str) -> str:
    """The usual name of a colour."""
    return _USUAL.get(word, word)


_KIND_NAMES = {**_synonyms(KIND_SYNONYMS), **{kind: kind for kind in KINDS}}
_USUAL = _synonyms(COLOUR_SYNONYMS, ADJECTIVE_SYNONYMS, PART_SYNONYMS)
_OPENING = frozenset(token for phrase in OPENINGS for token in tokens(phrase))
_DESCRIBING = frozenset((*_OPENING, *PARTS, *PART_PARTICIPLES.values(), *ADJECTIVES, *FILLERS, *_USUAL))
_ROLES = {
    **dict.fromkeys(COURTESIES, SILENT),
    **dict.fromkeys((*ARTICLES, "is", "coloured", "colored"), PLAIN),
    **dict.fromkeys(ACTIONS, ACTION),
    **dict.fromkeys(PLACES, PLACE),
    **dict.fromkeys((*BETWEEN, *JOINING), BREAK),
    **dict.fromkeys(NUMBERS, NUMBER),
    **dict.fromkeys(NEGATIONS, NEGATION),
}
