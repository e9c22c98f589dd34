"""Presets: flat TOML files, one each, with a ``title``, a ``sentence`` and settings by name. They do not
inherit.

A preset says everything: what it does not name is at its default, so that going from one to the next leaves
nothing behind. Only what is made is kept, unless the preset names it: the prompts, the pictures and how they
were taken, the 3D reference and how it stands, and the seed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import InputError, PresetError
from engine.loop.settings import Settings, Value, flatten, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.loop.validation import check_combination
from engine.prior.capabilities import info_of
from engine.shipped import presets_folder

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = presets_folder()
KEPT = (
    *("prompt", "negative_prompt", "seed"),
    *("images", "image_crops", "image_elevation_deg", "image_fill"),
    *("reference", "reference_up", "reference_turn_deg"),
)
DEFAULT_PRESET, DEFAULT_PRIOR = "toybox-splats", "toybox"
IMAGE_PRESET = "toybox-image"


@dataclass(frozen=True)
class Preset:
    """``values`` are settings by name; ``key`` is the file's name without its ending."""

    key: str
    title: str
    sentence: str
    values: Mapping[str, Value]


class Presets(NamedTuple):
    """What a folder holds: the ``presets`` that can be used, the default first, and the ``problems`` with the
    others.
    """

    presets: tuple[Preset, ...]
    problems: tuple[PresetError, ...]


def load_presets(folder: Path = FOLDER) -> Presets:
    """Every ``*.toml`` in ``folder``; a broken one does not keep the others from loading."""
    presets, problems = [], []
    for path in sorted(folder.glob("*.toml")):
        try:
            presets.append(load_preset(path))
        except PresetError as error:
            problems.append(error)
    presets.sort(
        key=lambda preset: (
            preset.key != DEFAULT_PRESET,
            preset.values.get("prior") != DEFAULT_PRIOR,
            preset.key,
        )
    )
    return Presets(tuple(presets), tuple(problems))


def find_preset(key: str, folder: Path = FOLDER) -> Preset:
    """The preset with this key. Raises PresetError that says what is wrong with it, or which ones there
    are.
    """
    known = sorted(path.stem for path in folder.glob("*.toml"))
    if key not in known:
        raise PresetError(f"There is no preset {key!r}.", f"Choose one of {', '.join(known)}.")
    return load_preset(folder / f"{key}.toml")


def load_preset(path: Path) -> Preset:
    """Read one preset and try it on. Raises PresetError that names the file, the line and what is allowed."""
    text = _text_of(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PresetError(f"{path.name}: {error}.", f"Correct {path}, or delete it.") from error
    title, sentence = (_word(path, text, document, name) for name in ("title", "sentence"))
    preset = Preset(path.stem, title, sentence, document)
    for name, value in document.items():
        _check_value(path, text, name, value)
    try:
        _check_combined(apply_preset(preset, _blank()))
    except InputError as error:
        raise _problem(path, text, _blamed(document, error), error.what, error.remedy) from error
    return preset


def apply_preset(preset: Preset, settings: Settings) -> Settings:
    """The preset's settings with the prompts, pictures and seed of ``settings``."""
    kept = {name: getattr(settings.spec, name) for name in KEPT}
    return with_values(Settings(RunSpec(**kept), Knobs()), preset.values)


def differences(preset: Preset, settings: Settings) -> dict[str, tuple[Value | None, Value | None]]:
    """What applying the preset would change: name -> (now, then). None: the guidance method has no such
    setting.
    """
    now, then = flatten(settings), flatten(apply_preset(preset, settings))
    return {
        name: (now.get(name), then.get(name)) for name in {**now, **then} if now.get(name) != then.get(name)
    }


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PresetError(
            f"{path.name} cannot be read ({error}).", f"Correct {path}, or delete it."
        ) from error


def _word(path: Path, text: str, document: dict[str, Any], name: str) -> str:
    value = document.pop(name, None)
    if not isinstance(value, str) or not value.strip():
        raise _problem(
            path, text, name, f"{name} is missing or empty.", f'Add a line such as {name} = "...".'
        )
    return value


def _check_value(path: Path, text: str, name: str, value: Any) -> None:
    if not isinstance(value, str | int | float | bool):
        raise _problem(
            path,
            text,
            name,
            f"{name} is a {type(value).__name__}; presets are flat.",
            "Write one plain value.",
        )


def _problem(path: Path, text: str, name: str, what: str, remedy: str) -> PresetError:
    at_start = re.compile(rf"\s*\[*\"?{re.escape(name)}\b")
    line = next(
        (number for number, line in enumerate(text.splitlines(), 1) if name and at_start.match(line)), None
    )
    place = path.name if line is None else f"{path.name}, line {line}"
    return PresetError(f"{place}: {what}", remedy)


def _blamed(document: Mapping[str, Any], error: InputError) -> str:
    """The setting that the message is about: the first one that it names."""
    named = [
        (match.start(), name)
        for name in document
        if (match := re.search(rf"\b{re.escape(name)}\b", error.what))
    ]
    return min(named, default=(0, ""))[1]


def _check_combined(settings: Settings) -> None:
    info = info_of(settings.spec.prior)
    if info is None:
        return
    if info.needs_images:  # which no preset names
        settings = with_values(settings, {"images": "picture.png"})
    check_combination(settings, info)


def _blank() -> Settings:
    return Settings(RunSpec(prompt="a red mug"), Knobs())
