"""Captions as vectors of words, so that a sentence finds the captions that say the same: no model, works
offline.

A word counts the more the fewer captions have it (inverse document frequency), and a pair of neighbours
counts too, so that "a red chair with blue legs" is nearer to itself than to "a blue chair with red legs".
Synonyms count as one word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array, diags_array

SILENT = frozenset(
    ("a", "an", "the", "with", "and", "of", "in", "on", "has", "its", "that", "is", "some", "toy", "object",
    "model", "3d",
     "photo", "picture", "image", "rendering", "render", "coloured", "colored", "cute", "nice", "simple")
)  # fmt: skip
"""Words that say nothing about which object is meant."""

PAIR_WEIGHT = 0.5
SMALLEST = 1e-12
KEPT = 4  # shelves whose captions are kept as vectors
SHORTEST_END = 4
"""Letters of a word that may be the end of a longer one."""


@dataclass(frozen=True, eq=False)
class WordSpace:
    """Built from captions by `word_space`: ``weights`` of the known words, ``synonyms`` to what a word counts
    as.
    """

    weights: Mapping[str, float]
    synonyms: Mapping[str, str]
    unknown_weight: float

    def similarities(self, query: str, captions: Sequence[str]) -> np.ndarray:
        """Cosine (N,) of the query with each caption; words that no caption has count too, against all of
        them.
        """
        return self.read(captions).similarities(query)

    def read(self, captions: Sequence[str]) -> ReadCaptions:
        """The captions as vectors, for many queries."""
        each = [self.counted(caption) for caption in captions]
        places = {word: k for k, word in enumerate(sorted(set().union(*each)))}
        ends = np.cumsum([0, *map(len, each)])
        columns = [places[word] for counts in each for word in counts]
        values = [count for counts in each for count in counts.values()]
        rows = csr_array(
            (np.array(values, float), np.array(columns, int), ends), shape=(len(each), len(places))
        )
        return ReadCaptions(self, places, diags_array(1 / np.maximum(_lengths(rows), SMALLEST)) @ rows)

    def knows(self, query: str) -> bool:
        """Whether any word of the query is in a caption."""
        return any(self._known_end(word) in self.weights for word in meanings(query, self.synonyms))

    def counted(self, text: str) -> dict[str, float]:
        """What each word of a text, and each pair of neighbours, weighs in it."""
        words = [self._known_end(word) for word in meanings(text, self.synonyms)]
        singles = {word: np.sqrt(count) * self._weight(word) for word, count in Counter(words).items()}
        pairs = {f"{a} {b}": PAIR_WEIGHT * min(self._weight(a), self._weight(b)) for a, b in pairwise(words)}
        return {**singles, **pairs}

    def _known_end(self, word: str) -> str:
        """The word, or the longest known one that it ends with: an armchair is a chair."""
        if word in self.weights:
            return word
        ends = (word[start:] for start in range(1, len(word) - SHORTEST_END + 1))
        return next((end for end in ends if end in self.weights), word)

    def _weight(self, word: str) -> float:
        return self.weights.get(word, self.unknown_weight)


@dataclass(frozen=True, eq=False)
class ReadCaptions:
    """Captions in their ``space``: ``rows`` (N,W), sparse and of length 1, and the ``places`` of the W words
    in them.
    """

    space: WordSpace
    places: Mapping[str, int]
    rows: csr_array

    def similarities(self, query: str) -> np.ndarray:
        """Cosine (N,) of the query with each caption; words that no caption has count too, against all of
        them.
        """
        weights = self.space.counted(query)
        vector = np.zeros(len(self.places))
        for word in weights.keys() & self.places.keys():
            vector[self.places[word]] = weights[word]
        length = float(np.linalg.norm(list(weights.values()))) if weights else 0.0
        return self.rows @ vector / max(length, SMALLEST)


@lru_cache(maxsize=KEPT)
def read_captions(captions: tuple[str, ...], synonyms: tuple[tuple[str, str], ...]) -> ReadCaptions:
    """These captions in the space that they make; kept, for a shelf is asked far more often than it
    changes.
    """
    return word_space(captions, dict(synonyms)).read(captions)


def word_space(captions: Sequence[str], synonyms: Mapping[str, str]) -> WordSpace:
    """The space of these captions. ``synonyms`` map a word, or two or three words, to what they count as."""
    synonyms = {_all_singular(phrase): _all_singular(meaning) for phrase, meaning in synonyms.items()}
    counts = Counter(word for caption in captions for word in set(meanings(caption, synonyms)))
    rarest = float(np.log(1 + len(captions)))
    return WordSpace(
        {word: float(np.log((1 + len(captions)) / count)) for word, count in counts.items()}, synonyms, rarest
    )


def _lengths(rows: csr_array) -> np.ndarray:
    return np.sqrt(rows.multiply(rows).sum(axis=1))


def meanings(text: str, synonyms: Mapping[str, str]) -> list[str]:
    """The words of a text that mean something, singular, each as what it counts as; ``synonyms`` are singular
    too.
    """
    words = [_singular(word) for word in re.findall(r"[a-z0-9]+", text.lower())]
    out: list[str] = []
    while words:
        length = next((n for n in (3, 2) if " ".join(words[:n]) in synonyms), 1)
        phrase = " ".join(words[:length])
        out += [word for word in synonyms.get(phrase, phrase).split() if word not in SILENT]
        words = words[length:]
    return out


def _all_singular(phrase: str) -> str:
    return " ".join(_singular(word) for word in phrase.split())


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")) else word
