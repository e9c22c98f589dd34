"""A run that sets out from a result remembers how that came to be: its recipe holds the recipes before it.

The live changes of a recipe are made again at the steps at which they were made: `Replayed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.assets.export import read_recipe
from engine.errors import InputError
from engine.loop.messages import Command, SetKnobs
from engine.loop.recipe import Change, Recipe
from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs, RunSpec

LONGEST = 50  # recipes before one: older ones are forgotten, and the chain then needs its first file


def begun(spec: RunSpec, knobs: Knobs) -> Recipe:
    """The recipe of a run that begins now; where it sets out from a file of ours, with those before it."""
    before = recipe_of_start(spec)
    chain = () if before is None else (*before.before, before.alone())[-LONGEST:]
    return Recipe(Settings(spec, knobs), before=chain)


def recipe_of_start(spec: RunSpec) -> Recipe | None:
    """The recipe inside the file that a run sets out from; None where there is no file, or it does not say."""
    return recipe_in(Path(spec.start_file)) if spec.start == "file" and Path(spec.start_file).is_file() else None


def recipe_in(file: Path) -> Recipe | None:
    """The recipe that a file holds, with those before it; None where it does not say."""
    try:
        return Recipe.from_toml(read_recipe(file))
    except InputError:
        return None


def words_before(spec: RunSpec) -> str:
    """The words of the scene that a run sets out from, as far as its file says them."""
    before = recipe_of_start(spec)
    return "" if before is None else before.settings.spec.prompt


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
