"""Presets on the page: choosing one shows what it would change, Apply changes it, Undo brings back what was
there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.errors import StudioError
from engine.loop.settings import Value, flatten
from engine.session.presets import Preset, apply_preset, differences
from studio.catalogue import PLACEHOLDER
from studio.changes import changes_of, table
from studio.handlers import Handlers
from studio.menu import plain, preset_options
from studio.messages import note, problem
from studio.tabs import tab_named


@dataclass(frozen=True)
class Replaced:
    """The settings that an applied preset took the place of, by name, and the preset that the menu showed
    before.
    """

    key: str | None
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Memory:
    """The preset that was ``applied`` last, and what it ``replaced``, for Undo."""

    applied: str | None
    replaced: Replaced | None = None


class Presetting:
    """Handlers of the preset bar. Each answers the bar's own outputs first, as ``PresetBar.outputs`` lists
    them.
    """

    def __init__(self, handlers: Handlers) -> None:
        self.handlers, self.catalogue = handlers, handlers.catalogue

    def offer(self, tab: str) -> Any:
        """The presets of a tab: an update of the menu."""
        return gr.update(options=plain(preset_options(self.catalogue, tab_named(tab))))

    def rest(self, memory: Memory) -> list[Any]:
        """The bar with nothing to decide."""
        hidden, words = gr.update(visible=False), ""
        if memory.replaced is not None:
            words = note("Words and seed are as they were.", "Applied.")
        return [memory.applied, words, hidden, hidden, gr.update(visible=memory.replaced is not None), memory]

    def preview(self, memory: Memory, key: str | None, *everything: Value) -> list[Any]:
        """Show what the preset would change: the bar."""
        preset = self.catalogue.preset(key)
        if preset is None:
            return self.rest(memory)
        try:
            changes = changes_of(preset, self._settings(everything), self.handlers.controls, self.catalogue)
        except StudioError as error:
            return self._asking(problem(error), can_apply=False)
        missing = self._missing(preset)
        summary = table(preset.sentence, changes) + (note(missing, "Not yet:") if missing else "")
        return self._asking(summary, can_apply=bool(changes) and not missing)

    def forget(self, memory: Memory) -> list[Any]:
        """Another run's settings are shown, so there is nothing to undo: the bar."""
        return self.rest(Memory(memory.applied))

    def apply(self, memory: Memory, token: str, key: str | None, *everything: Value) -> list[Any]:
        """Set the controls as the preset says: the bar, then as ``Handlers.show_values``. What is live goes
        to the run too.
        """
        preset = self.catalogue.preset(key)
        if preset is None:
            return [*self.rest(memory), *self.handlers.nothing_shown("")]
        try:
            before = self._settings(everything)
            then = flatten(apply_preset(preset, before))
            changed = differences(preset, before)
        except StudioError as error:
            return [*self._asking(problem(error), can_apply=False), *self.handlers.nothing_shown("")]
        old = {name: value for name, (value, _) in changed.items() if value is not None}
        replaced = Replaced(
            memory.applied, {"method": flatten(before)["method"], "prior": before.spec.prior, **old}
        )
        return [*self.rest(Memory(preset.key, replaced)), *self.handlers.show_values(token, then)]

    def undo(self, memory: Memory, token: str) -> list[Any]:
        """Put back what the last preset replaced: the bar, then as ``Handlers.show_values``."""
        if memory.replaced is None:
            return [*self.rest(memory), *self.handlers.nothing_shown("")]
        return [
            *self.rest(Memory(memory.replaced.key)),
            *self.handlers.show_values(token, memory.replaced.values),
        ]

    def _asking(self, words: str, *, can_apply: bool) -> list[Any]:
        shown, hidden = gr.update(visible=True), gr.update(visible=False)
        return [gr.skip(), words, gr.update(visible=can_apply), shown, hidden, gr.skip()]

    def _settings(self, everything: tuple[Value, ...]) -> Any:
        return self.handlers.settings(everything, prompt=PLACEHOLDER)

    def _missing(self, preset: Preset) -> str:
        prior = self.catalogue.prior(str(preset.values.get("prior", "")))
        return f"{prior.title} is not installed. {prior.missing}" if prior.missing else ""
