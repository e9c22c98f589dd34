"""One widget for each kind of mark: slider or number, segments or menu, checkbox, words, file."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.components import Component

from engine.core.fields import Choice, Control, File, Range, Switch, Text

SLIDER_STOPS = 1000  # a range with more stops than this is typed, not dragged
SEGMENTS = 3  # up to this many words are shown side by side


def widget(
    mark: Control, value: Any, label: str, elem_id: str, elem_classes: list[str], *, visible: bool = True
) -> Component:
    """The Gradio component for a marked setting with its present ``value``."""
    common: dict[str, Any] = {
        "label": label,
        "value": value,
        "elem_id": elem_id,
        "elem_classes": elem_classes,
        "visible": visible,
    }
    if isinstance(mark, File):
        return file_pick(mark, **common)
    common["info"] = mark.help or None
    if isinstance(mark, Switch):
        return gr.Checkbox(**common)
    if isinstance(mark, Text):
        return gr.Textbox(
            max_length=mark.most, lines=1, max_lines=3, placeholder=mark.example or None, **common
        )
    if isinstance(mark, Choice):
        menu = gr.Radio if len(mark.options) <= SEGMENTS else gr.Dropdown
        return menu(choices=[(option.replace("_", " "), option) for option in mark.options], **common)
    return _number(mark, common)


def _number(mark: Range, common: dict[str, Any]) -> Component:
    if mark.unit:
        common = {**common, "label": f"{common['label']} ({mark.unit})"}
    if (mark.high - mark.low) / mark.step > SLIDER_STOPS:
        return gr.Number(step=mark.step, **common)
    return gr.Slider(minimum=mark.low, maximum=mark.high, step=mark.step, buttons=[], **common)


def file_pick(
    mark: File, value: str, label: str, elem_id: str, elem_classes: list[str], *, visible: bool = True
) -> gr.HTML:
    """One line that takes a file, drawn by ``assets/files.js``. Its value is the path of what was uploaded,
    or empty.

    The path comes from the browser: who uses it must look where it points.
    """
    return gr.HTML(
        value,
        html_template='<div class="mq-file"></div>',
        js_on_load="maquette.mountFile(element, props, trigger, watch, upload)",
        apply_default_css=False,
        label=label,
        elem_id=elem_id,
        elem_classes=elem_classes,
        visible=visible,
        name=label,
        help=mark.help,
        endings=list(mark.endings),
    )
