"""What the panel says in words: problems with a remedy, what becomes of words, plain notes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from engine.errors import StudioError


def problem(error: StudioError) -> str:
    """An error as a panel: what happened, and what to do."""
    return (
        '<div class="mq-fault" '
        f'role="alert"><strong>{escape(error.what)}</strong><span>{escape(error.remedy)}</span></div>'
    )


def note(text: str, strong: str = "") -> str:
    """A line of text, which begins with ``strong`` words."""
    beginning = f"<b>{escape(strong)}</b> " if strong else ""
    return f'<p class="mq-note" role="status">{beginning}{escape(text)}</p>'


def words_notice(notes: Sequence[str]) -> str:
    """What becomes of the words of a prompt."""
    return note(" ".join(notes)) if notes else ""


def size_words(count: float) -> str:
    """Bytes in words that people read at a glance."""
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count / 1e3:.0f} kB"
