"""Ways to begin: each tab asks for its own inputs; everything else on the page (settings, stage, queue) serves all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.examples import EXAMPLES, chips


@dataclass(frozen=True)
class Tab:
    """``draw`` puts the widgets into the current Blocks and returns them by name; ``gives`` are the settings they ask for."""

    key: str
    title: str
    draw: Callable[[], dict[str, Any]]
    gives: frozenset[str] = frozenset()


def draw_text() -> dict[str, Any]:
    """Text to 3D: a prompt, what to leave out, examples to click, and a place for a notice about words."""
    prompt = gr.Textbox(
        label="Prompt",
        placeholder=f"Describe one object: {EXAMPLES[0].prompt}",
        lines=2,
        max_lines=4,
        elem_id="mq-prompt",
        submit_btn=False,
    )
    negative = gr.Textbox(
        label="Negative prompt",
        show_label=False,
        placeholder="Leave out (optional)",
        lines=1,
        max_lines=2,
        elem_id="mq-negative",
    )
    gr.HTML(chips(), elem_id="mq-chips", js_on_load="maquette.mountPrompts(element)", apply_default_css=False)
    words = gr.HTML(elem_id="mq-unknown", apply_default_css=False)
    return {"prompt": prompt, "negative_prompt": negative, "words": words}


TABS = (Tab("text", "Text to 3D", draw_text, frozenset({"prompt", "negative_prompt"})),)


def asked_by(tabs: Sequence[Tab] = TABS) -> frozenset[str]:
    """The settings that the tabs ask for together."""
    return frozenset().union(*(tab.gives for tab in tabs))


def draw_tabs(tabs: Sequence[Tab] = TABS) -> dict[str, Any]:
    """Every tab's widgets by name. A single tab needs no label; several get a bar of them."""
    if len(tabs) == 1:
        return _draw_card(tabs[0])
    parts: dict[str, Any] = {}
    with gr.Tabs(elem_id="mq-tabs"):
        for tab in tabs:
            with gr.Tab(tab.title, id=tab.key, elem_classes="mq-tab"):
                parts |= _draw_card(tab)
    return parts


def _draw_card(tab: Tab) -> dict[str, Any]:
    with gr.Column(elem_classes="mq-card", elem_id=f"mq-{tab.key}-card"):
        return tab.draw()
