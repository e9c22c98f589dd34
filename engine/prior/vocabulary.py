"""Which words of a prompt a prior was never taught, and how to say so."""

from __future__ import annotations

import re

from engine.prior.registry import find_entry, installed, list_priors, vocabulary_of

ARTICLES = frozenset(("a", "an", "the"))  # they change nothing, known or not


def unknown_words(prior_id: str, prompt: str) -> tuple[str, ...]:
    """The words of ``prompt`` that the prior was not taught, articles aside, in order, each once; none where it reads any."""
    vocabulary = vocabulary_of(find_entry(prior_id))
    if vocabulary is None:
        return ()
    words = re.findall(r"[a-z0-9]+", prompt.lower())
    return tuple(dict.fromkeys(word for word in words if word not in vocabulary | ARTICLES))


def note_on_words(prior_id: str, prompt: str) -> str | None:
    """What a person should know before a run: the words not understood, what becomes of them, and who would know them."""
    unknown = unknown_words(prior_id, prompt)
    if not unknown:
        return None
    title = find_entry(prior_id).title
    open_ones = [entry for entry in list_priors() if not entry.vocabulary]
    here = [entry.id for entry in open_ones if installed(entry)]
    words = ", ".join(f'"{word}"' for word in unknown)
    who = (
        f"These installed priors know any word: {', '.join(here)}."
        if here
        else f"No installed prior knows more words; {', '.join(entry.id for entry in open_ones)} would, once fetched."
    )
    return f"{title} was never taught {words}; it makes what the other words say. {who}"
