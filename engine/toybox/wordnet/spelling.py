"""Words that one slip of the finger makes another: a letter too many, too few, wrong, or two in the wrong
order.
"""

from __future__ import annotations

import string
from collections.abc import Container, Iterator

LEAST_LETTERS = 4
"""Shorter words have too many neighbours: *cat* and *car*."""


def one_edit_apart(word: str, known: Container[str]) -> Iterator[str]:
    """Those of ``known`` that one edit (Damerau 1964) makes of ``word``, each once, in no order."""
    yield from {edited for edited in _edits(word) if edited in known and edited != word}


def corrected(word: str, known: Container[str]) -> str | None:
    """The word of ``known`` that was meant, if it is the only one that is one edit away; None for short
    words.
    """
    if len(word) < LEAST_LETTERS:
        return None
    near = [other for other in one_edit_apart(word, known) if len(other) >= LEAST_LETTERS - 1]
    return near[0] if len(near) == 1 else None


def _edits(word: str) -> Iterator[str]:
    for k in range(len(word) + 1):
        before, after = word[:k], word[k:]
        yield from (before + letter + after for letter in string.ascii_lowercase)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in string.ascii_lowercase)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
