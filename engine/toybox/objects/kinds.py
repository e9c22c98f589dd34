"""What a kind of object is: its builder, its colourable parts and their usual colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint

Builder = Callable[[np.random.Generator, Paint], Assembly]


@dataclass(frozen=True)
class Part:
    """A colourable part: its usual colour words (none: those of the body), and whether it follows a coloured
    body.
    """

    name: str
    natural: tuple[str, ...]
    follows: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of object: its builder, its parts with the body first, and whether its azimuth can be told all
    round.
    """

    name: str
    build: Builder
    parts: tuple[Part, ...]
    has_front: bool = False


WOODS = ("brown", "light brown", "dark brown")
METALS = ("gray", "light gray", "dark gray")


def kind(name: str, build: Builder, parts: str, has_front: bool = False) -> Kind:
    """A kind whose ``parts`` are written as `parts_of_text` reads them."""
    return Kind(name, build, parts_of_text(parts), has_front)


def parts_of_text(text: str) -> tuple[Part, ...]:
    """Parts from "body: red, blue; handle: brown ~": usual colours, and ``~`` where a coloured body colours
    the part, too.
    """
    parts = []
    for each in text.split(";"):
        name, colours = each.split(":")
        usual = tuple(colour.strip() for colour in colours.strip().removesuffix("~").split(","))
        parts.append(Part(name.strip(), usual, colours.strip().endswith("~")))
    return tuple(parts)
