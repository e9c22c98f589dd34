"""With which settings each method is compared: ``methods.toml``, read into the product's own settings.

``[every]`` holds what all share. ``[sds]`` is a method at its best, ``[sds.field]`` what only that scene needs, and
``[sds.high]`` what high guidance changes of it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from engine.errors import PresetError
from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs, RunSpec

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
        raise PresetError(f"The table of methods {path.name} cannot be read: {error}.", "Restore the file.") from error


def settings_of(
    method: str, scene: str, pull: Pull, changes: Mapping[str, Any], table: Mapping[str, Mapping[str, Any]]
) -> Settings:
    """A method on a scene, at its best or at high guidance; ``changes`` come last. Raises PresetError for one without a row."""
    if method not in table:
        raise PresetError(
            f"The table of methods has no row for {method!r}.", f"Add [{method}] and [{method}.high] to {TABLE.name}."
        )
    row = table[method]
    own = {name: value for name, value in row.items() if not isinstance(value, Mapping)}
    values = {**table["every"], "method": method, **own, **row.get(scene, {}), **(row.get("high", {}) if pull == "high" else {})}
    return with_values(_plain(), {**values, "scene": scene, **changes})


def plain_settings(scene: str, start: str, changes: Mapping[str, Any]) -> Settings:
    """A start without any distillation, made as the product makes it."""
    without = {name: value for name, value in changes.items() if name != "refine_steps"}
    return with_values(_plain(), {**without, "scene": scene, "start": start, "refine_steps": 0})


def _plain() -> Settings:
    return Settings(RunSpec(prompt="an object"), Knobs())
