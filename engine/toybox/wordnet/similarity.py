"""Which kinds a meaning of WordNet is like: one that it is a kind of first, then by Lin's similarity.

Lin, "An information-theoretic definition of similarity" (1998), with the information content that Seco, Veale
and Hayes (2004) read off the taxonomy itself: 1 - log(hyponyms + 1) / log(all).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property

from engine.toybox.wordnet.database import WordNet

LEAST = 0.64
"""Below this, what is most alike is nothing that a person would accept."""

LIKE, IS_A, A_STEP, STEPS = 0.9, 1.0, 0.01, 9
"""Lin's similarity is scaled to at most ``LIKE``; a kind of a kind scores ``IS_A``, less ``A_STEP`` for each
of ``STEPS`` up.
"""

SENSES = 6
PHYSICAL = frozenset((5, 6, 8, 13, 17, 20))
"""Files of animals, artifacts, bodies, food, natural objects and plants; people are nothing that the toybox
makes.
"""

PERSON = 18
IMAGINARY = "imaginary_being%1:18:00"


class Kinship:
    """``roots``: the senses of each kind, by their keys, the usual one first. Raises KeyError for a key that
    is not there.
    """

    def __init__(self, wordnet: WordNet, roots: Mapping[str, Sequence[str]]) -> None:
        self.wordnet = wordnet
        by_key = {key: offset for senses in wordnet.senses.values() for offset, key in senses}
        self.roots = {kind: tuple(by_key[key] for key in keys) for kind, keys in roots.items()}
        self._imaginary = by_key[IMAGINARY]
        self._above: dict[str, dict[str, int]] = {}

    def nearest(self, lemma: str, most: int) -> dict[str, float]:
        """At most ``most`` kinds that a word is like, best first, each with its score in ``LEAST``..1.

        The first of its senses that is like any kind counts: the later, the rarer. A word that means a person
        first (a knight) must name a kind in a later sense (a tiger), since what is only like one (a chessman)
        is not what was meant.
        """
        senses = self.wordnet.senses.get(lemma, ())[:SENSES]
        least = LIKE if senses and self._person(senses[0][0]) else LEAST
        for offset, _ in senses:
            scores = self._of(offset) if self._made(offset) else {}
            good = sorted((-score, kind) for kind, score in scores.items() if score >= least)
            if good:
                return {kind: -score for score, kind in good[:most]}
        return {}

    def above(self, offset: str) -> dict[str, int]:
        """Everything that a meaning is a kind of, itself too, with the fewest steps up to it."""
        if offset not in self._above:
            distances = {offset: 0}
            for parent in self.wordnet.synsets[offset].hypernyms:
                for ancestor, steps in self.above(parent).items():
                    distances[ancestor] = min(distances.get(ancestor, steps + 1), steps + 1)
            self._above[offset] = distances
        return self._above[offset]

    def _made(self, offset: str) -> bool:
        return self.wordnet.synsets[offset].field in PHYSICAL or self._imaginary in self.above(offset)

    def _person(self, offset: str) -> bool:
        return self.wordnet.synsets[offset].field == PERSON and not self._made(offset)

    def _of(self, offset: str) -> dict[str, float]:
        """The score of each kind for one meaning: above Lin's for one that it is a kind of, the fewer steps
        the higher.
        """
        above, scores = self.above(offset), {}
        for ancestor in sorted(
            above, key=self._content.__getitem__
        ):  # the most telling one comes last and stays
            for kind, content in self._below.get(ancestor, {}).items():
                scores[kind] = LIKE * 2 * self._content[ancestor] / (content + self._content[offset])
        for kind, roots in self.roots.items():
            steps = [above[root] for root in roots if root in above]
            if steps:
                scores[kind] = IS_A - A_STEP * min(*steps, STEPS)
        return scores

    @cached_property
    def _content(self) -> dict[str, float]:
        below: dict[str, int] = {}
        for offset in self.wordnet.synsets:
            for ancestor in self.above(offset):
                below[ancestor] = below.get(ancestor, 0) + 1  # itself is the one that is added
        every = math.log(len(self.wordnet.synsets))
        return {offset: 1 - math.log(count) / every for offset, count in below.items()}

    @cached_property
    def _below(self) -> dict[str, dict[str, float]]:
        """For each meaning above the usual sense of a kind: that kind, and how much its own sense tells."""
        below: dict[str, dict[str, float]] = {}
        for kind, (usual, *_) in self.roots.items():
            for ancestor in self.above(usual):
                below.setdefault(ancestor, {})[kind] = self._content[usual]
        return below
