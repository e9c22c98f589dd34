"""How an edit that is no run came to be: a mesh painted or restyled, splats recoloured, a mesh made into
splats.

Flat TOML as a run's recipe is, with ``[[before]]`` tables of what the source came from. It lies inside the
file that was made.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import tomli_w

from engine.errors import FileFormatError
from engine.loop.recipe import FORMAT, REMEDY, EditStep, Recipe, read_before, read_edit_step

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MARK = "maquette_edit"
Chain = tuple[Recipe | EditStep, ...]
"""Recipes in the order in which they were followed, each with none of its own before it."""


@dataclass(frozen=True)
class EditRecipe:
    """One edit, and the recipes ``before`` it, the first one first."""

    step: EditStep
    before: Chain = ()

    def alone(self) -> EditStep:
        """Without those before it."""
        return self.step

    @property
    def words(self) -> str:
        """What it is now, as far as the edit or the recipes before it say: an instruction is no
        description.
        """
        steps = [each for each in (*self.before, self.step) if not _wordless(each)]
        last = steps[-1] if steps else None
        if isinstance(last, Recipe):
            return last.settings.spec.prompt
        return "" if last is None or last.values.get("instruction") else str(last.values.get("prompt", ""))

    def to_toml(self) -> str:
        """Its own values first, then one ``[[before]]`` table for each recipe before it."""
        document: dict[str, Any] = {MARK: FORMAT, **self.step.tables()}
        if self.before:
            document["before"] = [each.tables() for each in self.before]
        return tomli_w.dumps(document)

    @staticmethod
    def from_toml(text: str) -> EditRecipe:
        """Read what ``to_toml`` wrote. Raises FileFormatError, InputError."""
        try:
            document = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise FileFormatError(f"The recipe is not valid TOML: {error}.", REMEDY) from error
        if document.pop(MARK, None) != FORMAT:
            raise FileFormatError(
                f"This is no edit of format {FORMAT}.", "Update: pip install --upgrade maquette."
            )
        before = read_before(document)
        return EditRecipe(read_edit_step(document), before)


def is_edit(text: str) -> bool:
    """Whether a recipe is that of an edit."""
    return text.lstrip().startswith(MARK)


def _wordless(each: Recipe | EditStep) -> bool:
    return isinstance(each, EditStep) and each.kind == "splats"
