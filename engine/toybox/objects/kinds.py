"""What a kind of object is: its builder, its colourable parts and their usual colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint

Builder = Callable[[np.random.Generator, Paint], Assembly]


@dataclass(frozen=True)
class Part:
    """A colourable part: its usual colour words (none: those of the body), and whether it follows a coloured body."""

    name: str
    natural: tuple[str, ...]
    follows: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of object: its builder, its parts with the body first, and whether its azimuth can be told all round."""

    name: str
    build: Builder
    parts: tuple[Part, ...]
    has_front: bool = False


WOODS = ("brown", "light brown", "dark brown")
METALS = ("gray", "light gray", "dark gray")
