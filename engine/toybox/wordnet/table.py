"""The table of nearest kinds as a file: a line for each list of kinds, then the words that have it."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from engine.errors import FileFormatError, MissingError

FOLDER = Path(__file__).parent
TABLE, SENSES, OWN = FOLDER / "nearest.tsv.gz", FOLDER / "senses.tsv", FOLDER / "own.tsv"
NOTHING = "-"

Kinds = tuple[tuple[str, float], ...]
"""Kinds, best first, each with its score (see `engine.toybox.wordnet.similarity`)."""


@cache
def nearest() -> Mapping[str, Kinds]:
    """Every word of the table, compounds with underscores; no kinds for one that is spelled right and like
    nothing we make.

    Raises MissingError without the table, FileFormatError if it is damaged.
    """
    try:
        text = gzip.decompress(TABLE.read_bytes()).decode("utf-8")
        return {word: kinds for line in text.splitlines() for kinds, words in [_read(line)] for word in words}
    except FileNotFoundError as error:
        raise MissingError(
            f"The table of words is not at {TABLE}.", "Restore it from the repository."
        ) from error
    except (OSError, EOFError, ValueError) as error:
        raise FileFormatError(
            f"The table of words {TABLE} is damaged ({error}).", "Restore it from the repository."
        ) from error


def write_table(table: Mapping[str, Mapping[str, float]]) -> None:
    """Write the table, the same bytes for the same words."""
    groups: dict[str, list[str]] = {}
    for word, kinds in sorted(table.items()):
        said = ",".join(f"{kind}:{score:.2f}" for kind, score in kinds.items()) or NOTHING
        groups.setdefault(said, []).append(word)
    text = "".join(f"{said}\t{' '.join(words)}\n" for said, words in sorted(groups.items()))
    TABLE.write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))


def rows_of(path: Path) -> Iterator[tuple[str, str]]:
    """The rows of one of the two tables that are kept by hand: a kind, and what belongs to it."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t")
        next(rows)
        yield from ((kind, others) for kind, others in rows)


def _read(line: str) -> tuple[Kinds, list[str]]:
    said, words = line.split("\t")
    pairs = [] if said == NOTHING else [pair.split(":") for pair in said.split(",")]
    return tuple((kind, float(score)) for kind, score in pairs), words.split()
