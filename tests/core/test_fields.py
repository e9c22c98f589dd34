"""Marks on fields: read by the page, enforced when the object is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import pytest

from engine.core.fields import Choice, File, Range, Switch, Text, check_fields, marked_fields
from engine.errors import InputError

STRENGTH = Range(0, 2, 0.5, unit="x", help="How hard.", label="Strength", advanced=True)


@dataclass(frozen=True)
class Brush:
    """A dataclass with one field of each kind, and two that are no controls."""

    name: str = "round"
    strength: Annotated[float, STRENGTH] = 1.0
    hair: Annotated[str, Choice(("soft", "hard"))] = "soft"
    wet: Annotated[bool, Switch(help="With water.")] = False
    size: Annotated[int, Range(1, 9, 1), "a note that is no mark"] = 3
    colour: Annotated[str, "free text"] = "red"

    def __post_init__(self) -> None:
        check_fields(self)


def test_knobs_are_the_marked_fields_in_their_order_with_present_values() -> None:
    knobs = marked_fields(Brush(strength=0.5, wet=True))
    assert [(knob.name, knob.value) for knob in knobs] == [
        ("strength", 0.5),
        ("hair", "soft"),
        ("wet", True),
        ("size", 3),
    ]
    assert knobs[0].mark is STRENGTH and knobs[3].mark == Range(1, 9, 1)


def test_a_class_without_marks_has_no_knobs() -> None:
    @dataclass
    class Plain:
        width: int = 3

    assert marked_fields(Plain()) == ()
    check_fields(Plain(width=-(10**9)))


def test_a_subclass_keeps_and_adds_knobs() -> None:
    @dataclass(frozen=True)
    class Airbrush(Brush):
        pressure: Annotated[float, Range(0, 10)] = 5.0

    assert [knob.name for knob in marked_fields(Airbrush())] == [
        "strength",
        "hair",
        "wet",
        "size",
        "pressure",
    ]
    with pytest.raises(InputError, match="pressure is"):
        Airbrush(pressure=11)


@pytest.mark.parametrize(
    "changes",
    [
        {"strength": 0},
        {"strength": 2},
        {"strength": 1.2345},
        {"hair": "hard"},
        {"wet": True},
        {"size": 9},
    ],
)
def test_values_within_their_range_are_taken_ends_included(changes: dict[str, Any]) -> None:
    assert all(getattr(replace(Brush(), **changes), name) == value for name, value in changes.items())


@pytest.mark.parametrize(
    "changes, allowed",
    [
        ({"strength": 2.0001}, "a number from 0 to 2"),
        ({"strength": -1e-9}, "a number from 0 to 2"),
        ({"strength": float("nan")}, "a number from 0 to 2"),
        ({"strength": float("inf")}, "a number from 0 to 2"),
        ({"strength": "1"}, "a number from 0 to 2"),
        ({"strength": True}, "a number from 0 to 2"),
        ({"strength": None}, "a number from 0 to 2"),
        ({"hair": "wiry"}, "one of soft, hard"),
        ({"hair": None}, "one of soft, hard"),
        ({"wet": 1}, "true or false"),
        ({"wet": "yes"}, "true or false"),
    ],
)
def test_other_values_are_refused_with_field_value_and_what_is_allowed(
    changes: dict[str, Any], allowed: str
) -> None:
    ((name, value),) = changes.items()
    with pytest.raises(InputError) as caught:
        Brush(**changes)
    assert (
        f"{name} is" in caught.value.what
        and repr(value) in caught.value.what
        and allowed in caught.value.what
    )
    assert caught.value.remedy


def test_the_error_names_the_first_wrong_field_of_several() -> None:
    with pytest.raises(InputError, match="strength is"):
        Brush(strength=99, hair="wiry")


def test_numbers_of_numpy_are_not_taken_for_lists() -> None:
    assert Brush(strength=np.float64(0.5)).strength == 0.5


@dataclass(frozen=True)
class Letter:
    """Words and a file."""

    greeting: Annotated[str, Text(most=5)] = ""
    stamp: Annotated[str, File((".png", ".tar.gz"), needs="takes_stamps")] = ""

    def __post_init__(self) -> None:
        check_fields(self)


@pytest.mark.parametrize("good", [{}, {"greeting": "hello"}, {"stamp": "a/b.PNG"}, {"stamp": "x.tar.gz"}])
def test_words_and_files_may_be_empty_or_as_they_are_marked(good: dict[str, str]) -> None:
    Letter(**good)


@pytest.mark.parametrize(
    ("bad", "allowed"),
    [
        ({"greeting": "hello!"}, "at most 5"),
        ({"greeting": 3}, "words"),
        ({"stamp": "a.jpg"}, ".png, .tar.gz"),
        ({"stamp": 0}, "path"),
    ],
)
def test_words_that_are_too_many_and_files_of_other_kinds_are_refused(
    bad: dict[str, Any], allowed: str
) -> None:
    with pytest.raises(InputError, match=next(iter(bad))) as refusal:
        Letter(**bad)
    assert allowed in refusal.value.what and refusal.value.remedy
