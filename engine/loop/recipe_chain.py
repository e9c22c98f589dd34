"""A run that sets out from a result remembers how that came to be: its recipe holds the recipes before it."""

from __future__ import annotations

from pathlib import Path

from engine.assets.export import read_recipe
from engine.errors import InputError
from engine.loop.recipe import Recipe
from engine.loop.settings import Settings
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
