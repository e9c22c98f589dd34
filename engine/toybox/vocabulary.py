"""The closed vocabulary of the toybox's captions: every word that one may contain."""

from __future__ import annotations

from engine.toybox.models.collection import model_nouns
from engine.toybox.objects import KINDS
from engine.toybox.part_words import PART_PARTICIPLES, PART_SYNONYMS, PARTS
from engine.toybox.words import (
    ADJECTIVE_SYNONYMS,
    ADJECTIVES,
    COLOUR_SYNONYMS,
    COLOURS,
    DRAWN_NOUNS,
    FILLERS,
    GRAMMAR_WORDS,
    KIND_SYNONYMS,
    OPENINGS,
    tokens,
)


def _vocabulary() -> tuple[str, ...]:
    """Every word that a caption may contain."""
    phrases = [
        *COLOURS,
        *KINDS,
        *DRAWN_NOUNS,
        *model_nouns(),
        *PARTS,
        *PART_PARTICIPLES.values(),
        *ADJECTIVES,
        *FILLERS,
    ]
    phrases += [*OPENINGS, *GRAMMAR_WORDS]
    for table in (COLOUR_SYNONYMS, KIND_SYNONYMS, PART_SYNONYMS, ADJECTIVE_SYNONYMS):
        phrases += [word for group in table.values() for word in group]
    return tuple(sorted({token for phrase in phrases for token in tokens(phrase)}))


VOCABULARY: tuple[str, ...] = _vocabulary()
