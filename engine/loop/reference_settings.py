"""The settings of a 3D reference as controls, and those of them that are words, read."""

from __future__ import annotations

from typing import Annotated

from engine.core.fields import Choice, Range, Switch, Text
from engine.errors import InputError
from engine.prior.reference.strength import MAX_STRENGTH, StrengthCurve

AUTO, OPEN = "auto", "open"

Up = Annotated[
    str,
    Choice(
        (AUTO, "z", "y", "-y", "x", "-x", "-z"),
        label="Reference up",
        goes_with="reference",
        advanced=True,
        help="Which axis of the reference's file points up. Auto: by its format, and by how it would stand.",
    ),
]
Turn = Annotated[
    float,
    Range(
        -180,
        180,
        5,
        unit="°",
        label="Reference turn",
        goes_with="reference",
        advanced=True,
        help="Turns the reference about its upright axis.",
    ),
]
By = Annotated[
    str,
    Choice(
        (AUTO, "controller", "shape", "controlnet"),
        label="Reference acts by",
        goes_with="reference",
        advanced=True,
        help="What the prior learned of references (controller), pulling the shape itself, or showing it "
        "to the ControlNet "
        "in place of the shape. Auto: the first of controller, ControlNet and shape that there is; and "
        "beside a controller, the "
        "shape is pulled where the reference has nearly the outlines of the given pictures.",
    ),
]
Map = Annotated[
    str,
    Choice(
        ("progress", "noise_level"),
        label="Reference maps",
        goes_with="reference",
        advanced=True,
        help="Where the reference is seen coarsely: where there is much noise (progress), or where there "
        "is little.",
    ),
]
Follow = Annotated[
    float,
    Range(
        0,
        1,
        0.05,
        label="Follow the reference",
        goes_with="reference",
        help="How closely the result keeps to the reference: 0 takes only hints from it, 1 keeps its shape.",
    ),
]
Early = Annotated[
    float,
    Range(
        0,
        MAX_STRENGTH,
        0.05,
        label="Reference: overall shape",
        goes_with="reference",
        help="How strongly the reference acts where all is noise.",
    ),
]
Late = Annotated[
    float,
    Range(
        0,
        MAX_STRENGTH,
        0.05,
        label="Reference: details",
        goes_with="reference",
        help="How strongly the reference acts where little noise is left.",
    ),
]
Curve = Annotated[
    str,
    Text(
        200,
        example="0:1,0.5:0.8,1:0.3",
        label="Reference curve",
        goes_with="reference",
        advanced=True,
        help="In place of the two strengths: progress:strength pairs, where progress 0 is all noise and 1 "
        "is none.",
    ),
]
Gate = Annotated[
    str,
    Text(
        10,
        example="0.5",
        label="Reference gate",
        goes_with="reference",
        advanced=True,
        help="Closes where the reference does not fit what is wanted. A number from 0 to 1: the likeness "
        "from which on it is "
        "half open. auto: by itself. open: always.",
    ),
]
Ignore = Annotated[
    bool,
    Switch(
        label="Ignore the reference",
        goes_with="reference",
        help="To compare: what the prior makes without it.",
    ),
]


def read_curve(text: str, early: float, late: float) -> StrengthCurve:
    """The curve that ``text`` writes, or between the two handles where it is empty. Raises InputError."""
    return StrengthCurve.parse(text) if text.strip() else StrengthCurve.between(early, late)


def read_gate(text: str) -> str | float:
    """``auto``, ``open``, or the likeness at which the gate is half open. Raises InputError for anything
    else.
    """
    if text in (AUTO, OPEN):
        return text
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise InputError(
            f"reference_gate is {text!r}; it must be auto, open, or a number from 0 to 1.",
            "Write auto, or 0.5.",
        )
    return number
