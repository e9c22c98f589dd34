"""Which words of a prompt a prior was never taught, and how to say so."""

from __future__ import annotations

import json
import re

from engine.prior.capabilities import reads_words
from engine.prior.entries import PriorEntry
from engine.prior.registry import find_entry, installed, list_priors, vocabulary_of

ARTICLES = frozenset(("a", "an", "the"))  # they change nothing, known or not
TOKENIZER, LENGTH = "tokenizer_config.json", "model_max_length"


def unknown_words(prior_id: str, prompt: str) -> tuple[str, ...]:
    """The words of ``prompt`` that the prior was not taught, articles aside, in order, each once; none where it reads any."""
    vocabulary = vocabulary_of(find_entry(prior_id))
    if vocabulary is None:
        return ()
    words = re.findall(r"[^\W_]+", prompt.lower())
    return tuple(dict.fromkeys(word for word in words if word not in vocabulary | ARTICLES))


def most_words(entry: PriorEntry, default: int = 15) -> int:
    """How many words a prior with a vocabulary of its own reads, articles aside: its tokenizer's length less the start."""
    path = (entry.folder / entry.vocabulary).with_name(TOKENIZER)
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))[LENGTH]) - 1
    except (OSError, ValueError, KeyError, TypeError):
        return default


def note_on_words(prior_id: str, prompt: str) -> str | None:
    """What a person should know before a run: the words not understood, what becomes of them, and who would know them."""
    unknown = unknown_words(prior_id, prompt)
    if not unknown:
        return None
    here = [entry.id for entry in list_priors() if not entry.vocabulary and reads_words(entry) and installed(entry)]
    words = ", ".join(f'"{word}"' for word in unknown)
    who = f" These installed priors know any word: {', '.join(here)}." if here else ""
    return f"{find_entry(prior_id).title} was never taught {words}; it makes what the other words say.{who}"
