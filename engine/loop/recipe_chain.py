"""What sets out from a result remembers how that came to be: its recipe holds those before it, runs and edits
alike.

The live changes of a recipe are made again at the steps at which they were made: `Replayed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.assets.export import read_recipe
from engine.errors import InputError
from engine.loop.edit_recipe import Chain, EditRecipe, is_edit
from engine.loop.messages import Command, SetKnobs
from engine.loop.recipe import Change, Recipe
from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs, RunSpec

LONGEST = 50  # recipes before one: older ones are forgotten, and the chain then needs its first file


def begun(spec: RunSpec, knobs: Knobs) -> Recipe:
    """The recipe of a run that begins now; where it sets out from a file of ours, with those before it."""
    starts = spec.start == "file" and Path(spec.start_file).is_file()
    return Recipe(Settings(spec, knobs), before=chain_in(Path(spec.start_file)) if starts else ())


def chain_in(file: Path) -> Chain:
    """How a file came to be, the first recipe first; nothing where it does not say."""
    last = link_in(file)
    return () if last is None else (*last.before, last.alone())[-LONGEST:]


def link_in(file: Path) -> Recipe | EditRecipe | None:
    """The last recipe that a file holds, of a run or of an edit, with those before it; None where it does not
    say.
    """
    try:
        return read_link(read_recipe(file))
    except InputError:
        return None


def read_link(text: str) -> Recipe | EditRecipe:
    """The recipe of a run or of an edit. Raises FileFormatError, InputError."""
    return EditRecipe.from_toml(text) if is_edit(text) else Recipe.from_toml(text)


def recipe_in(file: Path) -> Recipe | None:
    """The recipe of the run that made a file, with those before it; None where it does not say, or an edit
    made it.
    """
    link = link_in(file)
    return link if isinstance(link, Recipe) else None


def words_in(file: Path) -> str:
    """The words that a file was last made by; of one that says nothing, or was told an instruction alone,
    nothing.
    """
    link = link_in(file)
    if isinstance(link, EditRecipe):
        return link.words
    return "" if link is None else link.settings.spec.prompt


def words_before(spec: RunSpec) -> str:
    """The words of the scene that a run sets out from, as far as its file says them."""
    return words_in(Path(spec.start_file)) if spec.start == "file" and Path(spec.start_file).is_file() else ""


class Replayed:
    """Commands that nobody writes to: it holds what the recipe's artist did.

    A run takes its commands once before the first step and once after each, so that the k-th time speaks of
    step k + 1. Raises InputError for a change of a setting that there is not.
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
