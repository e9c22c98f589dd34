"""What the models of known collections are: one pass by hand over their names and pictures, kept as a small table.

A row is *source, name, kind, noun*; the n-th model of a name in a collection is called ``name#n`` from the second on. Models of
these sources that are not in the table are left out: torn, several objects at once, invisible, or nothing that has a name.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("labels.tsv")


@dataclass(frozen=True)
class Label:
    """A model's ``kind``, and a narrower ``noun`` where there is one (a taxi is a car)."""

    kind: str
    noun: str = ""


@cache
def labels() -> Mapping[tuple[str, str], Label]:
    """Every label by (source, name)."""
    with open(TABLE, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {(row["source"], row["name"]): Label(row["kind"], row["noun"]) for row in rows}


@cache
def model_kinds() -> tuple[str, ...]:
    """The kinds of all labels, sorted."""
    return tuple(sorted({label.kind for label in labels().values()}))


def model_nouns() -> tuple[str, ...]:
    """Every noun of the labels, kinds and narrower ones."""
    return tuple(sorted({word for label in labels().values() for word in (label.kind, label.noun) if word}))
