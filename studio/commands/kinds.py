"""``python -m studio kinds``: what can be made from words without a large model, and what a word would be read as."""

from __future__ import annotations

import shutil
import textwrap

from engine.errors import InputError
from engine.loop.prompt_words import Kind, heard, kinds_known
from engine.loop.spec import RunSpec

INDENT = 16


def kinds(sought: str | None) -> None:
    """List all kinds, or those that ``sought`` names; else say what it would be read as. Raises InputError if as nothing."""
    every = kinds_known()
    found = every if sought is None else [kind for kind in every if _matches(kind, sought.lower().strip())]
    if not found and sought is not None:
        told = heard(RunSpec(sought))
        print("\n".join((*told.notes, f"{sought} is made as: {told.prompt}")))
        return
    width = shutil.get_terminal_size().columns
    for kind in found:
        print(textwrap.fill(_line(kind), width, subsequent_indent=" " * INDENT))
    if sought is None:
        print(f"\n{len(every)} kinds. Other words are read as the nearest of them; python -m studio kinds eagle says which.")


def _matches(kind: Kind, sought: str) -> bool:
    if not sought:
        raise InputError("The word to look for is empty.", "Leave it out to list every kind.")
    return any(sought in name for name in (kind.name, *kind.synonyms))


def _line(kind: Kind) -> str:
    facts = [f"also: {', '.join(kind.synonyms)}"] * bool(kind.synonyms) + ["guided by the shelf"] * (not kind.learned)
    return f"{kind.name:<{INDENT - 1}} {'; '.join(facts)}".rstrip()
