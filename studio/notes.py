"""What the panel says in words: problems with a remedy, words left out, plain notes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from engine.errors import StudioError
from studio.catalogue import PriorChoice


def problem(error: StudioError) -> str:
    """An error as a panel: what happened, and what to do."""
    return f'<div class="mq-fault" role="alert"><strong>{escape(error.what)}</strong><span>{escape(error.remedy)}</span></div>'


def note(text: str, strong: str = "") -> str:
    """A line of text, which begins with ``strong`` words."""
    beginning = f"<b>{escape(strong)}</b> " if strong else ""
    return f'<p class="mq-note" role="status">{beginning}{escape(text)}</p>'


def unknown_notice(words: Sequence[str], prior: str, priors: Sequence[PriorChoice]) -> str:
    """Which words are left out, and which prior would know them."""
    named = ", ".join(f"<em>{escape(word)}</em>" for word in words)
    them = "it" if len(words) == 1 else "them"
    wider = [choice for choice in priors if choice.any_words]
    here, elsewhere = [c for c in wider if not c.missing], [c for c in wider if c.missing]
    advice = "The rest of the prompt is used."
    if here:
        advice += f" {escape(here[0].title)} would know {them}."
    elif elsewhere:
        advice += f" {escape(elsewhere[0].title)} would know {them}, but is not installed. {escape(elsewhere[0].missing)}"
    return f'<p class="mq-note" role="status">{escape(prior)} was not taught {named} and leaves {them} out. {advice}</p>'


def size_words(count: float) -> str:
    """Bytes in words that people read at a glance."""
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count / 1e3:.0f} kB"
