"""The live changes of a recipe as the page keeps them until Generate makes them again."""

from __future__ import annotations

import json

from engine.errors import InputError
from engine.loop.recipe import Change, Recipe
from engine.session.scheduled import changes_of, rows_of


def schedule_text(recipe: Recipe) -> str:
    """Rows of a step and values by name, as JSON; empty where there are no live changes."""
    return json.dumps(rows_of(recipe.changes), ensure_ascii=False) if recipe.changes else ""


def schedule_in(text: str) -> tuple[Change, ...]:
    """The live changes that `schedule_text` wrote. Raises InputError for what is none."""
    try:
        return changes_of(json.loads(text)) if text.strip() else ()
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            "The live changes to repeat cannot be read.", "Drop the file again, or leave them away."
        ) from error
