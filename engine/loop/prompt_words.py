"""What a prior that knows few words reads of a prompt: the nearest words that it knows, and what a person should be told."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import InputError, StudioError
from engine.loop.spec import AS_THEY_ARE, RunSpec
from engine.prior.entries import PriorEntry
from engine.prior.registry import find_entry, kinds_of, vocabulary_of
from engine.prior.unknown_words import most_words, note_on_words

UNDERSTANDING, OBJECTS, WORDS = "engine.toybox.understanding", "engine.toybox.objects", "engine.toybox.words"
"""Beside the house, and only looked up when they are asked for."""


@dataclass(frozen=True)
class Heard:
    """``prompt`` is what the prior reads, ``notes`` what became of words that it was not taught."""

    prompt: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of objects, what else it is called, and whether the prior has ``learned`` to make it without the shelf."""

    name: str
    synonyms: tuple[str, ...]
    learned: bool


def heard(spec: RunSpec) -> Heard:
    """The prompt as its prior reads it; the same for priors that read any words.

    Raises InputError where the words are all there is, and name nothing that can be made.
    """
    entry = _bound(spec.prior)
    if entry is None or not spec.prompt.strip():
        return Heard(spec.prompt)
    if spec.words == AS_THEY_ARE:
        note = note_on_words(spec.prior, spec.prompt)
        return Heard(spec.prompt, () if note is None else (note,))
    alone = not (spec.images.strip() or spec.reference.strip() or spec.start == "file")
    known, kinds = vocabulary_of(entry) or frozenset(), makeable(entry, spec)
    read = importlib.import_module(UNDERSTANDING).understood(spec.prompt, known, kinds, most_words(entry), alone=alone)
    if read.refused:
        raise InputError(" ".join((read.refused, *read.notes)), _remedy(kinds))
    return Heard(read.prompt or spec.prompt, read.notes)


def kinds_known(prior_id: str = RunSpec.prior) -> tuple[Kind, ...]:
    """Every kind that can be made from words with a prior that knows few, by name."""
    synonyms, made = importlib.import_module(WORDS).KIND_SYNONYMS, kinds_of(find_entry(prior_id))
    every = sorted(importlib.import_module(OBJECTS).KINDS)
    return tuple(Kind(name, synonyms.get(name, ()), made is None or name in made) for name in every)


def stands_in(spec: RunSpec) -> bool:
    """Whether an object from the shelf may guide a run from words alone."""
    drafted = spec.start == "draft" and spec.scene != "canvas"
    return drafted and not (spec.reference.strip() or spec.images.strip())


def makeable(entry: PriorEntry, spec: RunSpec) -> tuple[str, ...]:
    """The kinds that a prior makes by itself, and those for which the shelf stands in, or which a picture or model shows."""
    every = importlib.import_module(OBJECTS).KINDS
    made = kinds_of(entry)
    shown = stands_in(spec) or bool(spec.images.strip() or spec.reference.strip())
    return tuple(every if made is None or shown else [kind for kind in every if kind in made])


def _bound(prior_id: str) -> PriorEntry | None:
    """The entry of a prior that knows only the words it was taught."""
    try:
        entry = find_entry(prior_id)
    except StudioError:
        return None
    return entry if entry.vocabulary else None


def _remedy(kinds: Sequence[str]) -> str:
    some = ", ".join(kinds[:: max(1, len(kinds) // 8)][:8])
    return (
        f"Name one of the {len(kinds)} kinds of objects that can be made, for example {some}; python -m studio kinds lists and "
        "searches them. A picture or a 3D model beside the words tells the shape of anything else."
    )
