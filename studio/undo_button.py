"""One click takes a live change back."""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine.errors import StudioError
from engine.loop.settings import flatten_knobs
from studio.handlers import HEADS, Handlers
from studio.messages import problem


class Undoing:
    """The handler of the button."""

    def __init__(self, handlers: Handlers) -> None:
        self.handlers, self.session = handlers, handlers.session

    def undo(self, token: str, prior: str) -> list[Any]:
        """Take the newest live change back: (problem, *groups, *everything); what is for the next run
        stays.
        """
        try:
            self.session.undo_knobs(token)
        except StudioError as error:
            return self.handlers.nothing_shown(problem(error))
        values = {**flatten_knobs(self.session.knobs(token)), "prior": prior}
        shown = self.handlers.set_values(values)
        groups = len(shown) - HEADS - len(self.handlers.controls.pairs)
        return ["", *shown[:groups], *[gr.skip()] * 4, *shown[groups + 4 :]]
