"""The live changes of a recipe, made again at the steps at which they were made."""

from __future__ import annotations

from collections.abc import Sequence

from engine.loop.messages import Command, SetKnobs
from engine.loop.recipe import Change, Recipe
from engine.loop.settings import Settings, with_values


class Replayed:
    """Commands that nobody writes to: it holds what the recipe's artist did.

    A run takes its commands once before the first step and once after each, so that the k-th time speaks of step k + 1. Raises
    InputError for a change of a setting that there is not.
    """

    def __init__(self, settings: Settings, changes: Sequence[Change]) -> None:
        self.waiting: list[tuple[int, SetKnobs]] = []
        for change in sorted(changes, key=lambda change: (change.total_step, change.revision)):
            settings = with_values(settings, change.values)
            self.waiting.append((change.total_step, SetKnobs(change.revision, settings.knobs)))
        self.step = 0

    @staticmethod
    def of(recipe: Recipe) -> Replayed:
        """What was done to the run of ``recipe``."""
        return Replayed(recipe.settings, recipe.changes)

    def take(self) -> list[Command]:
        """The changes that are in force from the next step on."""
        self.step += 1
        due: list[Command] = [command for step, command in self.waiting if step <= self.step]
        self.waiting = self.waiting[len(due) :]
        return due
