"""Export options as plain values, as a page sends them and as they are kept beside an export."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from typing import Any

from engine.assets.export.formats.base import ExportOptions, Lamp, Trim
from engine.errors import InputError

LONGEST_TEXT = 40_000
NESTED = {"lamp": Lamp, "trim": Trim}
KEPT_APART = ("recipe",)
REMEDY = "Reload the page."


def options_of(values: Mapping[str, Any]) -> ExportOptions:
    """From values by name; what is not named is as usual. Raises `InputError` for unknown names and wrong
    types, too.
    """
    if not isinstance(values, Mapping):
        raise InputError("The options are no list of values.", REMEDY)
    plain = {name: value for name, value in values.items() if name not in NESTED}
    nested = {name: kind(**_checked(kind, values[name])) for name, kind in NESTED.items() if name in values}
    return ExportOptions(**_checked(ExportOptions, plain), **nested)


def values_of(options: ExportOptions) -> dict[str, Any]:
    """The values that are not as usual, by name; `options_of` takes them."""
    usual = asdict(ExportOptions())
    return {
        name: value
        for name, value in asdict(options).items()
        if value != usual[name] and name not in KEPT_APART
    }


def _checked(kind: type, values: Any) -> dict[str, Any]:
    """With the types of the fields of a dataclass."""
    if not isinstance(values, Mapping):
        raise InputError("The options are no list of values.", REMEDY)
    usual = {field.name: field.default for field in fields(kind) if field.default is not MISSING}
    unknown = [str(name) for name in values if name not in usual or name in KEPT_APART]
    if unknown:
        raise InputError(
            f"There is no export option {unknown[0]!r:.60}.", f"Choose among: {', '.join(usual)}."
        )
    return {name: _typed(name, value, usual[name]) for name, value in values.items()}


def _typed(name: str, value: Any, usual: Any) -> Any:
    if isinstance(usual, tuple):
        if isinstance(value, list | tuple) and all(map(_is_number, value)):
            return tuple(map(float, value))
    elif isinstance(usual, str):
        if isinstance(value, str) and len(value) <= LONGEST_TEXT:
            return value
    elif _is_number(value):
        return float(value) if isinstance(usual, float) else round(value)
    raise InputError(f"The export option {name} is {value!r:.60}.", f"Give something like {usual!r}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
