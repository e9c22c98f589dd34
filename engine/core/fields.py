"""What a control looks like, written beside the field it controls.

A field ``guidance_scale: Annotated[float, Range(1, 100, help="...")] = 7.5`` is all that the page, the
command line and the preset loader need: they read it with ``marked_fields`` and check it with
``check_fields``. A dataclass whose fields carry these marks calls ``check_fields(self)`` in its
``__post_init__``, so that an object out of range cannot exist.

``needs``, in every mark, names the flag of a prior's info without which the setting has no effect; empty: it
always has one. ``goes_with`` names another setting, of words or a file, without which it has none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from engine.errors import InputError


@dataclass(frozen=True)
class Range:
    """A number between ``low`` and ``high`` (inclusive); ``step`` is what a slider snaps to."""

    low: float
    high: float
    step: float = 0.01
    unit: str = ""
    help: str = ""
    label: str = ""
    advanced: bool = False
    needs: str = ""
    goes_with: str = ""


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    options: tuple[str, ...]
    help: str = ""
    label: str = ""
    advanced: bool = False
    needs: str = ""
    goes_with: str = ""


@dataclass(frozen=True)
class Switch:
    """On or off."""

    help: str = ""
    label: str = ""
    advanced: bool = False
    needs: str = ""
    goes_with: str = ""


@dataclass(frozen=True)
class Text:
    """Words, at most ``most`` characters of them; empty: none. ``example`` is one that is allowed, for who
    has to write some.
    """

    most: int = 1000
    example: str = ""
    help: str = ""
    label: str = ""
    advanced: bool = False
    needs: str = ""
    goes_with: str = ""


@dataclass(frozen=True)
class File:
    """The path of a file that ends in one of ``endings`` (with their dots, lower case); empty: none. Whether
    it exists is not asked here: settings travel to machines that do not have it.
    """

    endings: tuple[str, ...]
    help: str = ""
    label: str = ""
    advanced: bool = False
    needs: str = ""
    goes_with: str = ""


Control = Range | Choice | Switch | Text | File


@dataclass(frozen=True)
class SettingField:
    """A marked field: its ``name``, its ``mark``, its present ``value``, and whether it takes only whole
    numbers.
    """

    name: str
    mark: Control
    value: Any
    whole: bool = False


def marked_fields(owner: Any) -> tuple[SettingField, ...]:
    """The marked fields of a dataclass instance, in the order they are written, with their present values."""
    return tuple(
        SettingField(name, mark, getattr(owner, name), whole) for name, mark, whole in _marks_of(type(owner))
    )


@cache
def _marks_of(kind: type) -> tuple[tuple[str, Control, bool], ...]:
    """Name, mark and wholeness of a class's marked fields; remembered, because a slider asks a hundred times
    a second.
    """
    hints = get_type_hints(kind, include_extras=True)
    field_marks = []
    for field in fields(kind):
        hint = hints[field.name]
        marks = (
            [m for m in get_args(hint)[1:] if isinstance(m, Control)] if get_origin(hint) is Annotated else []
        )
        if marks:
            field_marks.append((field.name, marks[0], get_args(hint)[0] is int))
    return tuple(field_marks)


def is_writable(text: str) -> bool:
    """Whether a text can be written as UTF-8: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_fields(owner: Any) -> None:
    """Raise InputError that names the field, the value and what is allowed, if a marked field is out of its
    range.

    No field, marked or not, may hold text that no file can hold.
    """
    for name, value in vars(owner).items():
        if isinstance(value, str) and not is_writable(value):
            where = f"{name} holds half of a character, which no file can hold: {value[:80]!a}."
            raise InputError(where, "Type it again, or copy it from another program.")
    for knob in marked_fields(owner):
        _check(knob)


def _check(knob: SettingField) -> None:
    allowed, good = _rule(knob)
    if not good:
        raise InputError(
            f"{knob.name} is {knob.value!r}; it must be {allowed}.", "Give a value in that range."
        )


def rule_of(knob: SettingField) -> str:
    """What is allowed, in words."""
    return _rule(knob)[0]


def _rule(knob: SettingField) -> tuple[str, bool]:
    """What is allowed, in words, and whether the value is."""
    mark, value = knob.mark, knob.value
    if isinstance(mark, Switch):
        return "true or false", isinstance(value, bool)
    if isinstance(mark, Choice):
        return "one of " + ", ".join(mark.options), value in mark.options
    if isinstance(mark, Text):
        return f"words, at most {mark.most:,} characters", isinstance(value, str) and len(value) <= mark.most
    if isinstance(mark, File):
        allowed = f"empty, or the path of a file that ends in {', '.join(mark.endings)}"
        return allowed, isinstance(value, str) and (not value or value.lower().endswith(mark.endings))
    kind = isinstance(value, int if knob.whole else int | float) and not isinstance(value, bool)
    allowed = f"a {'whole ' if knob.whole else ''}number from {mark.low:g} to {mark.high:g}"
    return allowed, kind and math.isfinite(value) and mark.low <= value <= mark.high
