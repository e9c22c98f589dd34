"""What would change, in words: each setting's title with its present and its new value, the live ones
apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import PurePath

from engine.core.fields import Choice, File, Range, Switch
from engine.guidance import key_of
from engine.loop.settings import Settings, Value, flatten
from engine.session.presets import Preset, apply_preset, differences
from studio.catalogue import Catalogue
from studio.controls import Controls, Field, fields_of

NONE = "none"  # how an empty text is shown


@dataclass(frozen=True)
class Change:
    """A setting called ``title`` goes from ``old`` to ``new``; ``live``: in a run that goes, too."""

    title: str
    old: str
    new: str
    live: bool


def changes_of(preset: Preset, settings: Settings, controls: Controls, catalogue: Catalogue) -> list[Change]:
    """What applying ``preset`` to ``settings`` would change.

    Another method brings its own settings; they are named where the preset moves them away from that method's
    defaults.
    """
    then = apply_preset(preset, settings)
    fields = {
        field.name: field for field in fields_of(then.spec, then.knobs, controls.methods) if _of(field, then)
    }
    usual = flatten(Settings(then.spec, replace(then.knobs, guidance=type(then.knobs.guidance)())))
    return [
        _change(name, old, new, fields, controls, catalogue)
        for name, (old, new) in differences(preset, settings).items()
        if new is not None and (old is not None or new != usual[name])
    ]


def _of(field: Field, settings: Settings) -> bool:
    return field.method in (None, key_of(settings.knobs.guidance))


def _change(
    name: str,
    old: Value | None,
    new: Value,
    fields: Mapping[str, Field],
    controls: Controls,
    catalogue: Catalogue,
) -> Change:
    if name == "method":
        return Change("Method", *(controls.methods[str(key)].title for key in (old, new)), live=True)
    if name == "prior":
        return Change("Prior", *(catalogue.prior(str(key)).title for key in (old, new)), live=False)
    field = fields.get(name)
    if field is None:
        return Change(name.replace("_", " ").capitalize(), _words(old), _words(new), live=False)
    return Change(field.title, value_words(field, old), value_words(field, new), field.live)


def value_words(field: Field, value: Value | None) -> str:
    """A value as its control shows it; empty for None, which is a setting that is not there."""
    mark = field.mark
    if value is None:
        return ""
    if isinstance(mark, Switch):
        return "on" if value else "off"
    if isinstance(mark, Choice):
        return str(value).replace("_", " ")
    if isinstance(mark, File):
        return PurePath(str(value)).name or NONE
    return f"{_words(value)} {mark.unit}".strip() if isinstance(mark, Range) else _words(value)


def _words(value: Value | None) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value) or NONE


def table(sentence: str, changes: Sequence[Change]) -> str:
    """What a preset is for and what it would change, as HTML, the live settings first."""
    if not changes:
        return (
            f'<div class="mq-preset"><p>{escape(sentence)}</p><p>Everything is set like this '
            "already.</p></div>"
        )
    kinds = (("live", "Live, at once", True), ("next", "From the next run on", False))
    parts = [
        _part(look, title, [each for each in changes if each.live is live]) for look, title, live in kinds
    ]
    return f'<div class="mq-preset"><p>{escape(sentence)}</p>{"".join(parts)}</div>'


def _part(look: str, title: str, changes: Sequence[Change]) -> str:
    if not changes:
        return ""
    rows = "".join(
        f"<tr><th>{escape(each.title)}</th><td>{escape(each.old)}</td><td>→</td><td>{escape(each.new)}</td></tr>"
        for each in changes
    )
    return (
        f'<section class="mq-changes-{look}"><h4><i '
        f'class="mq-dot"></i>{title}</h4><table>{rows}</table></section>'
    )
