"""Settings by name: the flat ``key = value`` form that presets, recipes and ``--set`` share.

Names are unique over RunSpec, Knobs, the guidance method and the timestep policy (a test holds this), so that
a setting needs no path. ``method`` chooses the guidance method; its knobs then have their defaults unless
they are named too.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from engine.errors import InputError
from engine.guidance import key_of, methods
from engine.loop.spec import Knobs, RunSpec

Value = str | int | float | bool


@dataclass(frozen=True)
class Settings:
    """A run's two halves together."""

    spec: RunSpec
    knobs: Knobs


def flatten(settings: Settings) -> dict[str, Value]:
    """Every setting by its name; ``with_values(anything, flatten(s))`` gives ``s`` back."""
    return {**_scalars(settings.spec), **flatten_knobs(settings.knobs)}


def flatten_knobs(knobs: Knobs) -> dict[str, Value]:
    """The live half by name."""
    return {
        "method": key_of(knobs.guidance),
        **_scalars(knobs.guidance),
        **_scalars(knobs.timesteps),
        **_scalars(knobs),
    }


def with_values(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """``settings`` with the named values; text is read as the type of the field it replaces.

    Raises InputError for a name that does not exist (with the nearest ones) or a value that is not allowed.
    """
    knobs = _with_method(settings.knobs, values)
    owners = (settings.spec, knobs, knobs.guidance, knobs.timesteps)
    known = {name for owner in owners for name in _scalars(owner)} | {"method"}
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3) or sorted(known)
            raise InputError(f"There is no setting named {name!r}.", f"Did you mean {', '.join(near)}?")
    spec, knobs, guidance, timesteps = (_updated(owner, values) for owner in owners)
    return Settings(spec, replace(knobs, guidance=guidance, timesteps=timesteps))


def _with_method(knobs: Knobs, values: Mapping[str, Any]) -> Knobs:
    key = values.get("method", key_of(knobs.guidance))
    if key == key_of(knobs.guidance):
        return knobs
    known = methods()
    if not isinstance(key, str) or key not in known:
        raise InputError(
            f"There is no guidance method {key!r}.", f"Choose one of {', '.join(sorted(known))}."
        )
    return replace(knobs, guidance=known[key]())


def _scalars(owner: Any) -> dict[str, Value]:
    values = {field.name: getattr(owner, field.name) for field in fields(owner)}
    return {name: value for name, value in values.items() if isinstance(value, str | int | float | bool)}


def _updated(owner: Any, values: Mapping[str, Any]) -> Any:
    present = _scalars(owner)
    return replace(
        owner, **{name: _read(name, values[name], present[name]) for name in present if name in values}
    )


def _read(name: str, value: Any, present: Value) -> Value:
    """``value`` as the type of ``present``: text from a command line or a file becomes a number or a truth
    value.
    """
    if isinstance(present, str):
        return str(value)
    if isinstance(present, bool):
        truth = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
        if str(value).lower() not in truth:
            raise InputError(f"{name} is {value!r}; it must be true or false.", "Write true or false.")
        return truth[str(value).lower()]
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{name} is {value!r}; it must be a number.", f"Write a number, for example {present}."
        ) from error
    if isinstance(present, float) or not math.isfinite(number):
        return number
    if number != int(number):
        raise InputError(
            f"{name} is {value!r}; it must be a whole number.",
            f"Write a whole number, for example {present}.",
        )
    return int(number)
