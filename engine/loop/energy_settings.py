"""The weights of energies as controls, and the colour that one of them names, read."""

from __future__ import annotations

from typing import Annotated

from PIL import ImageColor

from engine.core.fields import Range, Text
from engine.errors import InputError


def _weight(label: str, help: str) -> Range:
    return Range(0, 10, 0.1, label=label, advanced=True, help=f"{help} 0: off.")


Symmetry = Annotated[float, _weight("Symmetry", "How strongly its left and right sides are made alike.")]
Outline = Annotated[float, _weight("Keep the outline", "How strongly outlines stay those of the start file.")]
Depth = Annotated[
    float, _weight("Keep the depth", "How strongly surfaces stay where they are in the start file.")
]
ColourWeight = Annotated[
    float, _weight("Region colour", "How strongly what the region shows gets the colour.")
]
Likeness = Annotated[
    float,
    _weight(
        "Likeness to the words", "How strongly a scorer (CLIP, or toybox's own) pushes pictures to the words."
    ),
]
Colour = Annotated[
    str,
    Text(
        30,
        example="blue",
        label="Colour",
        advanced=True,
        help="What colour: a word of CSS, or #rrggbb. Empty: none.",
    ),
]


def read_colour(text: str) -> tuple[float, float, float] | None:
    """The colour in 0..1, None where none is named. Raises InputError for what is no colour."""
    if not text.strip():
        return None
    try:
        red, green, blue = ImageColor.getrgb(text.strip().lower())[:3]
    except ValueError as error:
        raise InputError(
            f"energy_colour is {text!r}, which is no colour.", "Write a word of CSS, or #3366ff."
        ) from error
    return red / 255, green / 255, blue / 255
