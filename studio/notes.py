"""What the panel says in words: problems with a remedy, words left out, what a preset would change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from engine.errors import StudioError
from engine.loop.settings import Value
from studio.catalogue import PriorChoice


def problem(error: StudioError) -> str:
    """An error as a panel: what happened, and what to do."""
    return f'<div class="mq-fault" role="alert"><strong>{escape(error.what)}</strong><span>{escape(error.remedy)}</span></div>'


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


def preset_note(
    sentence: str, changes: Mapping[str, tuple[Value | None, Value | None]], missing: str, title: Callable[[str], str]
) -> str:
    """The preset's sentence, and a table of what it would change."""
    rows = "".join(
        f"<tr><th>{escape(title(name))}</th><td>{_shown(old)}</td><td>{_shown(new)}</td></tr>"
        for name, (old, new) in changes.items()
    )
    table = f"<table>{rows}</table>" if rows else "<p>Everything is set like this already.</p>"
    return f'<div class="mq-preset"><p>{escape(sentence)}</p>{f"<p><b>{escape(missing)}</b></p>" if missing else table}</div>'


def _shown(value: Value | None) -> str:
    return "" if value is None else escape(f"{value:g}" if isinstance(value, float) else str(value))
