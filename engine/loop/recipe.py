"""How a result came to be: its settings and every live change, in the flat TOML that presets use.

A recipe is written next to each result and inside each exported file; running it again repeats the run.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import tomli_w

from engine.errors import FileFormatError, InputError
from engine.loop.settings import Settings, Value, flatten, flatten_knobs, with_values
from engine.loop.spec import Knobs, RunSpec

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FORMAT = 1
EDIT_KINDS = ("paint", "restyle", "recolour", "splats")
REMEDY = "Use a recipe.toml that Maquette wrote."


@dataclass(frozen=True)
class Change:
    """Live settings by name, in force from ``total_step`` on."""

    total_step: int
    revision: int
    values: Mapping[str, Value]


@dataclass(frozen=True)
class EditStep:
    """An edit that is no run (`engine.editing`): its ``kind`` and its settings by name.

    Kinds are paint, restyle, recolour (the colours of splats), and splats (a mesh made into splats).
    """

    kind: str
    values: Mapping[str, Value]

    def alone(self) -> EditStep:
        """Itself: it holds none of those before it."""
        return self

    def tables(self) -> dict[str, Any]:
        """As a table of TOML."""
        return {"edit": self.kind, **self.values}


@dataclass(frozen=True)
class Recipe:
    """Where a run began, and what was changed while it went."""

    settings: Settings
    changes: tuple[Change, ...] = ()
    # versions, prior, device: shown, never needed to run again
    facts: Mapping[str, Value] = field(default_factory=dict)
    before: tuple[
        Recipe | EditStep, ...
    ] = ()  # what it set out from, the first one first, each with none of its own

    def alone(self) -> Recipe:
        """Without those before it."""
        return replace(self, before=())

    def to_toml(self) -> str:
        """Flat settings first, then one ``[[change]]`` table each, then one ``[[before]]`` table for each
        recipe before it.
        """
        document: dict[str, Any] = {"maquette_recipe": FORMAT, **self.tables()}
        if self.before:
            document["before"] = [each.tables() for each in self.before]
        return tomli_w.dumps(document)

    def tables(self) -> dict[str, Any]:
        """As a document of TOML, without those before it."""
        document: dict[str, Any] = flatten(self.settings)
        if self.facts:
            document["facts"] = dict(self.facts)
        if self.changes:
            document["change"] = [
                {"total_step": c.total_step, "revision": c.revision, **c.values} for c in self.changes
            ]
        return document

    @staticmethod
    def of_tables(document: Mapping[str, Any]) -> Recipe:
        """From what ``to_toml`` writes, parsed. Raises FileFormatError, InputError."""
        return Recipe._read(dict(document))

    @staticmethod
    def from_toml(text: str) -> Recipe:
        """Read what ``to_toml`` wrote. Raises FileFormatError for text that is no recipe, InputError for
        settings not allowed.
        """
        try:
            document = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise FileFormatError(f"The recipe is not valid TOML: {error}.", REMEDY) from error
        version = document.pop("maquette_recipe", None)
        if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT:
            raise FileFormatError(
                f"A newer Maquette{_version_in(document)} wrote this recipe, in format {version}; this one "
                f"reads format {FORMAT}.",
                "Update this one: pip install --upgrade maquette. Nothing was changed.",
            )
        if version != FORMAT:
            raise FileFormatError(
                f"This is no recipe of format {FORMAT}: it lacks maquette_recipe = {FORMAT}.",
                REMEDY,
            )
        before = read_before(document)
        return replace(Recipe._read(document), before=before)

    @staticmethod
    def _read(document: dict[str, Any]) -> Recipe:
        facts, changes = document.pop("facts", {}), document.pop("change", [])
        if (
            not isinstance(facts, dict)
            or not isinstance(changes, list)
            or not all(isinstance(each, dict) for each in changes)
        ):
            raise FileFormatError("facts and change of the recipe are no tables.", REMEDY)
        if not isinstance(document.get("prompt"), str):
            raise InputError("The recipe has no prompt.", 'Add a line such as prompt = "a red mug".')
        blank = Settings(RunSpec(prompt=document["prompt"], images=str(document.get("images", ""))), Knobs())
        return Recipe(with_values(blank, document), tuple(_read_change(change) for change in changes), facts)


def read_before(document: dict[str, Any]) -> tuple[Recipe | EditStep, ...]:
    """Take the recipes before one out of its ``document``. Raises FileFormatError, InputError."""
    before = document.pop("before", [])
    if not isinstance(before, list) or not all(isinstance(each, dict) for each in before):
        raise FileFormatError("before of the recipe is no list of tables.", REMEDY)
    return tuple(read_edit_step(each) if "edit" in each else Recipe._read(each) for each in before)


def read_edit_step(table: Mapping[str, Any]) -> EditStep:
    """What `EditStep` wrote. Raises FileFormatError for a kind that there is not."""
    kind = table.get("edit")
    if kind not in EDIT_KINDS:
        raise FileFormatError(
            f"The recipe names the edit {kind!r}; there are {', '.join(EDIT_KINDS)}.", REMEDY
        )
    return EditStep(kind, {name: value for name, value in table.items() if name != "edit"})


def _version_in(document: Mapping[str, Any]) -> str:
    """The version that a recipe says wrote it, in brackets; empty where it does not say."""
    facts = document.get("facts")
    version = facts.get("maquette", "") if isinstance(facts, Mapping) else ""
    return f" ({version[:20]})" if isinstance(version, str) and version else ""


def _read_change(table: Mapping[str, Any]) -> Change:
    values = {name: value for name, value in table.items() if name not in ("total_step", "revision")}
    try:
        return Change(int(table["total_step"]), int(table["revision"]), values)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FileFormatError(f"A change in the recipe lacks a whole number: {error}.", REMEDY) from error


def changed_values(before: Knobs, after: Knobs) -> dict[str, Value]:
    """The live settings that differ, by name, with their new values."""
    old, new = flatten_knobs(before), flatten_knobs(after)
    return {name: value for name, value in new.items() if old.get(name) != value}
