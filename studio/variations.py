"""Several runs from one Generate: the same settings with one seed after the other."""

from __future__ import annotations

import secrets
from typing import Any

import gradio as gr

from engine.errors import StudioError
from engine.loop.settings import Value
from engine.loop.spec import MAX_SEED
from studio.handlers import Handlers
from studio.messages import problem
from studio.tabs import REFERENCE

MOST = 6
HELP = "How many runs Generate begins, with one seed after the other: several results from one reference."


def draw_variations() -> gr.Slider:
    """How many, in the current Blocks."""
    classes = ["mq-knob", "mq-knob-next"]
    return gr.Slider(
        1,
        MOST,
        1,
        step=1,
        label="Variations",
        info=HELP,
        buttons=[],
        elem_id="mq-variations",
        elem_classes=classes,
    )


class Varying:
    """The handler that begins the others once the first has begun."""

    def __init__(self, handlers: Handlers) -> None:
        self.handlers = handlers

    def more(self, words: str, owner: str, variations: float, seed: float, *everything: Value) -> Any:
        """Queue the runs after the first, whose ``seed`` is known now, unless it was refused (``words``): the
        problem, if any.
        """
        if words or str(everything[0]) != REFERENCE.key:
            return gr.skip()
        owner = owner or secrets.token_urlsafe(16)
        try:
            for further in range(1, min(int(variations), MOST)):
                settings = self.handlers.settings(
                    everything, {"seed": (int(seed) + further) % (MAX_SEED + 1)}
                )
                self.handlers.session.submit(settings, owner)
        except StudioError as error:
            return problem(error)
        return gr.skip()
