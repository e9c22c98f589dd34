"""What the setting ``reference`` asks for: a file (``PATH``), a thing on a shelf (``shelf:ID``), the best
match (``auto``, or ``auto:K`` for a draw among the K best), or an earlier result (``run:TOKEN``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.errors import InputError

AUTO, SHELF, RUN = "auto", "shelf:", "run:"
MOST_CANDIDATES = 20
_AUTO = re.compile(rf"{AUTO}(?::(?P<count>.*))?")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{4,64}")


@dataclass(frozen=True)
class FromShelf:
    """The thing of this ``id``, as `engine.retrieval.items.Item` has it."""

    id: str


@dataclass(frozen=True)
class FromRun:
    """The result of the run of this ``token``."""

    token: str


@dataclass(frozen=True)
class Retrieved:
    """One of the ``k`` things on the shelf that are most like the given pictures, or else the words."""

    k: int = 1


def parsed_reference(reference: str) -> FromShelf | FromRun | Retrieved | None:
    """What is to be looked up; None where the setting is empty or names a file. Raises InputError for what is
    badly written.
    """
    text = reference.strip()
    if text.startswith(SHELF):
        return FromShelf(_rest(text, SHELF, "shelf:toybox/700123"))
    if text.startswith(RUN):
        return FromRun(_token(_rest(text, RUN, "run: and the name of its folder in the library")))
    match = _AUTO.fullmatch(text)
    return None if match is None else Retrieved(_count(text, match["count"]))


def names_file(reference: str) -> bool:
    """Whether the setting is the path of a file."""
    return bool(reference.strip()) and parsed_reference(reference) is None


def _rest(text: str, beginning: str, example: str) -> str:
    rest = text.removeprefix(beginning).strip()
    if not rest:
        raise InputError(
            f"reference is {text!r}, and nothing is named after {beginning!r}.", f"Write {example}."
        )
    return rest


def _token(text: str) -> str:
    if not _TOKEN.fullmatch(text):  # a token names a folder, and must not lead out of the library
        raise InputError(
            f"{text!r} is not the token of a run.", "Tokens are the names of the folders in the library."
        )
    return text


def _count(text: str, count: str | None) -> int:
    if count is None:
        return 1
    if not (count.isascii() and count.isdigit() and 1 <= int(count) <= MOST_CANDIDATES):
        raise InputError(
            f"reference is {text!r}; after {AUTO}: stands a whole number from 1 to {MOST_CANDIDATES}.",
            f"Write {AUTO}, or {AUTO}:5 to draw one of the five best.",
        )
    return int(count)
