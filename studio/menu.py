"""A menu whose options explain themselves before they are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr


@dataclass(frozen=True)
class Option:
    """One line of a menu: its ``title``, one plain ``sentence``, and a short ``note`` beside the title (what it costs).

    Options with the same ``group`` stand under one heading. A ``refusal`` says why this one cannot be chosen now.
    """

    key: str
    title: str
    sentence: str = ""
    note: str = ""
    group: str = ""
    refusal: str = ""


def menu(
    options: Sequence[Option],
    value: str | None,
    name: str,
    elem_id: str,
    *,
    help: str = "",
    live: bool = False,
    about: bool = False,
) -> gr.HTML:
    """A menu in the current Blocks, drawn by ``assets/menu.js``; its value is the key of the chosen option.

    With ``about``, the sentence of the chosen option stays in sight.
    """
    return gr.HTML(
        value,
        html_template='<div class="mq-menu"></div>',
        js_on_load="maquette.mountMenu(element, props, trigger, watch)",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["mq-knob", "mq-knob-live" if live else "mq-knob-next"],
        options=plain(options),
        name=name,
        help=help,
        about=about,
    )


def plain(options: Sequence[Option]) -> list[dict[str, Any]]:
    """The options as the browser takes them."""
    return [asdict(option) for option in options]
