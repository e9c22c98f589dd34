"""A section that opens and closes. What is inside is on the page from the start.

``gr.Accordion`` makes its children only when it is opened, and a widget of our own that is sent a value before that has lost
everything else it was given; here nothing is made late.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import gradio as gr


@contextmanager
def fold(title: str, elem_id: str) -> Iterator[None]:
    """``with fold("More settings", "mq-more"):`` puts what follows into a closed section with this title."""
    with gr.Column(elem_id=elem_id, elem_classes="mq-fold"):
        gr.HTML(
            f'<button type="button" class="mq-fold-head" aria-expanded="false">{escape(title)}</button>',
            js_on_load="maquette.mountFold(element)",
            apply_default_css=False,
        )
        with gr.Column(elem_classes="mq-fold-body"):
            yield
