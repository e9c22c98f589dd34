"""What is measured: one cell for each row of the table, prompt and seed.

With which settings each method is compared: ``methods.toml``, read into the product's own settings.

``[every]`` holds what all share. ``[sds]`` is a method at its best, ``[sds.field]`` what only that scene
needs, and ``[sds.high]`` what high guidance changes of it.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from engine.errors import PresetError
from engine.loop.settings import Settings, flatten, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.prior.registry import find_entry, local_folder
from engine.toybox.benchmark.tasks import TextTask

TRUE, DRAFT, BALL = "true", "draft", "ball"
TRUE_SEEDS = 8  # true objects cost next to nothing


if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = Path(__file__).with_name("methods.toml")
SCENES = ("splats", "field")
PULLS = ("best", "high")
Pull = Literal["best", "high"]


def read_table(path: Path = TABLE) -> dict[str, dict[str, Any]]:
    """The table: method -> its settings, and "every". Raises PresetError if it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PresetError(
            f"The table of methods {path.name} cannot be read: {error}.", "Restore the file."
        ) from error


def settings_of(
    method: str, scene: str, pull: Pull, changes: Mapping[str, Any], table: Mapping[str, Mapping[str, Any]]
) -> Settings:
    """A method on a scene, at its best or at high guidance; ``changes`` come last. Raises PresetError for one
    without a row.
    """
    if method not in table:
        raise PresetError(
            f"The table of methods has no row for {method!r}.",
            f"Add [{method}] and [{method}.high] to {TABLE.name}.",
        )
    row = table[method]
    own = {name: value for name, value in row.items() if not isinstance(value, Mapping)}
    values = {
        **table["every"],
        "method": method,
        **own,
        **row.get(scene, {}),
        **(row.get("high", {}) if pull == "high" else {}),
    }
    return with_values(_plain(), {**values, "scene": scene, **changes})


def plain_settings(scene: str, start: str, changes: Mapping[str, Any]) -> Settings:
    """A start without any distillation, made as the product makes it."""
    without = {name: value for name, value in changes.items() if name != "refine_steps"}
    return with_values(_plain(), {**without, "scene": scene, "start": start, "refine_steps": 0})


def _plain() -> Settings:
    return Settings(RunSpec(prompt="an object"), Knobs())


@dataclass(frozen=True)
class Row:
    """A line of the table: ``name`` is a method's key or a reference; true objects have no scene, references
    no pull.
    """

    name: str
    scene: str = ""
    pull: Pull | str = ""

    @property
    def key(self) -> str:
        """Its name in files."""
        return "-".join(part for part in (self.name, self.scene, self.pull) if part)


@dataclass(frozen=True)
class Cell:
    """One object to make and to judge; true objects are drawn and have no settings. ``weights`` tells one
    prior from another.
    """

    row: Row
    task: TextTask
    seed: int
    settings: Settings | None
    weights: str

    @property
    def key(self) -> str:
        """Its name in files."""
        return f"{self.row.key}-{self.task.index}-{self.seed}"

    @property
    def digest(self) -> str:
        """Another one for everything that would give another result."""
        settings = None if self.settings is None else flatten(self.settings)
        facts = [self.key, self.task.prompt, self.task.seed, settings, self.weights]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def rows_of(names: Sequence[str], scenes: Sequence[str]) -> tuple[Row, ...]:
    """The rows in the order of the table: true objects; then, scene by scene, the draft, the ball and each
    method twice.
    """
    of_scene = [
        (Row(DRAFT, scene), Row(BALL, scene), *(Row(name, scene, pull) for name in names for pull in PULLS))
        for scene in scenes
    ]
    return (Row(TRUE), *(row for rows in of_scene for row in rows))


def cells_of(
    rows: Sequence[Row], tasks: Sequence[TextTask], seeds: int, changes: Mapping[str, Any], prior: str
) -> tuple[Cell, ...]:
    """Every cell; a prompt is done for all rows before the next begins, so that what is done so far can be
    compared.
    """
    table, weights = read_table(), weights_digest(prior)
    settings = {row: _settings(row, {**changes, "prior": prior}, table) for row in rows}
    return tuple(
        Cell(row, task, seed, _settings_of(settings[row], task, seed), "" if row.name == TRUE else weights)
        for task in tasks
        for seed in range(max(seeds, TRUE_SEEDS))
        for row in rows
        if seed < seeds or row.name == TRUE
    )


def _settings(
    row: Row, changes: Mapping[str, Any], table: Mapping[str, Mapping[str, Any]]
) -> Settings | None:
    if row.name == TRUE:
        return None
    if row.name in (DRAFT, BALL):
        return plain_settings(row.scene, "draft" if row.name == DRAFT else "ball", changes)
    assert row.pull, "methods have a pull, references none"
    return settings_of(row.name, row.scene, cast("Pull", row.pull), changes, table)


def _settings_of(settings: Settings | None, task: TextTask, seed: int) -> Settings | None:
    return (
        None
        if settings is None
        else replace(settings, spec=replace(settings.spec, prompt=task.prompt, seed=seed))
    )


def weights_digest(prior: str) -> str:
    """Another one for other weights of a prior on this machine. Raises InputError for an unknown prior."""
    folder = local_folder(find_entry(prior))
    files = [] if folder is None else sorted(folder.rglob("*.safetensors"))
    return hashlib.sha256(
        b"".join(hashlib.sha256(Path(file).read_bytes()).digest() for file in files)
    ).hexdigest()[:16]
