"""What a prior that knows few words reads of a prompt: the nearest words that it knows, and what a person
should be told.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import InputError, StudioError
from engine.loop.spec import RunSpec
from engine.loop.stage_settings import AS_THEY_ARE
from engine.prior.capabilities import reads_words
from engine.prior.entries import PriorEntry
from engine.prior.registry import find_entry, installed, kinds_of, list_priors, vocabulary_of

ARTICLES = frozenset(("a", "an", "the"))  # they change nothing, known or not
TOKENIZER, LENGTH = "tokenizer_config.json", "model_max_length"

UNDERSTANDING, OBJECTS, WORDS = "engine.toybox.understanding", "engine.toybox.objects", "engine.toybox.words"
"""Beside the house, and only looked up when they are asked for."""


def unknown_words(prior_id: str, prompt: str) -> tuple[str, ...]:
    """The words of ``prompt`` that the prior was not taught, articles aside, in order, each once; none where
    it reads any.
    """
    vocabulary = vocabulary_of(find_entry(prior_id))
    if vocabulary is None:
        return ()
    words = re.findall(r"[^\W_]+", prompt.lower())
    return tuple(dict.fromkeys(word for word in words if word not in vocabulary | ARTICLES))


def most_words(entry: PriorEntry, default: int = 15) -> int:
    """How many words a prior with a vocabulary of its own reads, articles aside: its tokenizer's length less
    the start.
    """
    path = (entry.folder / entry.vocabulary).with_name(TOKENIZER)
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))[LENGTH]) - 1
    except (OSError, ValueError, KeyError, TypeError):
        return default


def note_on_words(prior_id: str, prompt: str) -> str | None:
    """What a person should know before a run: the words not understood, what becomes of them, and who would
    know them.
    """
    unknown = unknown_words(prior_id, prompt)
    if not unknown:
        return None
    here = [
        entry.id
        for entry in list_priors()
        if not entry.vocabulary and reads_words(entry) and installed(entry)
    ]
    words = ", ".join(f'"{word}"' for word in unknown)
    who = f" These installed priors know any word: {', '.join(here)}." if here else ""
    return f"{find_entry(prior_id).title} was never taught {words}; it makes what the other words say.{who}"


@dataclass(frozen=True)
class Heard:
    """``prompt`` is what the prior reads, ``notes`` what became of words that it was not taught."""

    prompt: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of objects, what else it is called, and whether the prior has ``learned`` to make it without the
    shelf.
    """

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
    understanding, most = importlib.import_module(UNDERSTANDING), most_words(entry)
    read = understanding.understood(spec.prompt, known, kinds, most, alone=alone)
    made = kinds_of(entry)
    parts = (
        understanding.words_for_parts(read.prompt, made)
        if made is not None and stands_in(spec)
        else frozenset()
    )
    if parts - known:
        read = understanding.understood(spec.prompt, known | parts, kinds, most, alone=alone)
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
    """The kinds that a prior makes by itself, and those for which the shelf stands in, or which a picture or
    model shows.
    """
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
        f"Name one of the {len(kinds)} kinds of objects that can be made, for example {some}; python -m "
        "studio kinds lists and "
        "searches them. A picture or a 3D model beside the words tells the shape of anything else."
    )
