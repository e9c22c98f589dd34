"""Ways to begin: one needs no label, several get a bar, and all of them share the rest of the page."""

from __future__ import annotations

import gradio as gr
from studio_doubles import catalogue

from studio.panel import draw_panel
from studio.tabs import TABS, Tab, draw_tabs


def test_a_single_way_to_begin_has_no_tab_bar() -> None:
    with gr.Blocks() as page:
        parts = draw_tabs(TABS[:1])
    assert {"prompt", "negative_prompt", "words"} <= set(parts)
    assert not [block for block in page.blocks.values() if isinstance(block, gr.Tabs)]


def test_several_ways_stand_in_a_bar_before_one_set_of_settings_and_buttons() -> None:
    extra = Tab("echo", "Echo", lambda: {"words": gr.HTML(elem_id="mq-echo")})
    with gr.Blocks() as page:
        panel = draw_panel(catalogue(), (*TABS, extra))
    labels = [block.label for block in page.blocks.values() if isinstance(block, gr.Tab)]
    assert labels == [*(tab.title for tab in TABS), "Echo"]
    ids = [getattr(block, "elem_id", None) for block in page.blocks.values()]
    assert all(ids.count(name) == 1 for name in ("mq-prompt", "mq-echo", "mq-method", "mq-generate"))
    assert panel.words.elem_id == "mq-echo", "a tab's widgets are found by their names"
