"""What happens when another tab is chosen: it comes with the settings that were left there, at first those of
its own preset.

A run that goes is told nothing: it keeps what it has, and obeys the next slider that is moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.loop.settings import Value, flatten
from engine.session.presets import apply_preset
from studio.handlers import Handlers
from studio.menu import made_for, presets_in
from studio.preset_bar import Memory, Presetting
from studio.tabs import TEXT, Tab, tab_named, tab_settings

EVERYWHERE = tab_settings() | {"seed", "scene", "backend", "precision", "time_budget_seconds"}
"""Settings that stay what they are, whichever tab is chosen: what was given, and what is about the
machine.
"""


@dataclass(frozen=True)
class Left:
    """The settings of a tab when it was left, by name, and the memory of its preset bar."""

    values: Mapping[str, Value]
    presets: Memory


@dataclass(frozen=True)
class Desks:
    """The tab that is shown, and what was left in the others."""

    tab: str = TEXT.key
    left: Mapping[str, Left] = field(default_factory=dict)


class Tabbing:
    """The handler of the tab bar."""

    def __init__(self, handlers: Handlers, presetting: Presetting) -> None:
        self.handlers, self.presetting, self.catalogue = handlers, presetting, handlers.catalogue

    def choose(self, desks: Desks, bar: Memory, *everything: Value) -> list[Any]:
        """Another tab, the first of ``everything``: (desks, preset bar, *groups, *everything)."""
        tab = tab_named(str(everything[0]))
        left = {**desks.left, desks.tab: Left(self.handlers.said(everything), bar)}
        desk = left.get(tab.key) or self._first(tab)
        values = {name: value for name, value in desk.values.items() if name not in EVERYWHERE}
        shown = self.handlers.set_values(values)
        return [Desks(tab.key, left), *self.presetting.rest(desk.presets), *shown]

    def arrive(self, desks: Desks, tab: str) -> Desks:
        """A run is shown, with its own settings, in the tab that it was asked for in."""
        return Desks(tab, desks.left)

    def _first(self, tab: Tab) -> Left:
        """What a tab begins with: its own preset, or the page's."""
        own = next((preset for preset in presets_in(self.catalogue, tab) if made_for(preset, tab)), None)
        settings = self.catalogue.defaults()
        if own is None:
            return Left(flatten(settings), Memory(None))
        return Left(flatten(apply_preset(own, settings)), Memory(own.key))
