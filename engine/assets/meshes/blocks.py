"""Objects put together from boxes, spheres, cylinders and cones: a rough build that a run turns into
something detailed.

As text it is JSON, small enough to write by hand::

    {"blocks": [{"kind": "box", "centre": [0, 0, 0.5], "size": [1, 1, 0.1],
                 "rotation_deg": [0, 0, 30], "colour": "#b98a5a"}]}

Only ``kind`` is required. +z is up and the front faces +x, as everywhere in Maquette; the unit is free.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from engine.errors import FileFormatError, InputError

Kind = Literal["box", "sphere", "cylinder", "cone"]

MOST_BLOCKS = 300
MAX_BYTES = 256_000
FARTHEST = 100.0
"""How far from the origin a centre may lie, in each direction; a size may be as large."""

SMALLEST = 1e-3
CLAY = "#b9a68c"

_BEGINNING = re.compile(rb'\s*\{\s*"blocks"\s*:')
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Block:
    """One solid: ``size`` along its own axes (a cylinder and a cone stand along z), turned about the fixed x,
    y and z in turn.
    """

    kind: Kind
    centre: tuple[float, float, float] = (0.0, 0.0, 0.5)
    size: tuple[float, float, float] = (1.0, 1.0, 1.0)
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    colour: str = CLAY

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise InputError(
                f"A block's kind is {self.kind!r}.", f"Choose one of {', '.join(get_args(Kind))}."
            )
        if not isinstance(self.colour, str) or not _COLOUR.fullmatch(self.colour):
            raise InputError(
                f"The colour of a {self.kind} is {self.colour!r}.", "Write #rrggbb, such as #b98a5a."
            )
        for name, low, high in (
            ("centre", -FARTHEST, FARTHEST),
            ("size", SMALLEST, FARTHEST),
            ("rotation_deg", -3600, 3600),
        ):
            object.__setattr__(
                self, name, _three(getattr(self, name), f"The {name} of a {self.kind}", low, high)
            )


def _three(values: Any, what: str, low: float, high: float) -> tuple[float, float, float]:
    """Three numbers in ``low``..``high``. Raises InputError for anything else."""
    sound = isinstance(values, (tuple, list, np.ndarray)) and len(values) == 3
    numbers = [value for value in values if not isinstance(value, (bool, str))] if sound else []
    try:
        x, y, z = (float(number) for number in numbers)
        inside = all(low <= number <= high for number in (x, y, z))  # not so for NaN
    except (TypeError, ValueError, OverflowError):
        inside = False
    if not inside:
        raise InputError(f"{what} is {str(values)[:60]}.", f"Write three numbers from {low:g} to {high:g}.")
    return x, y, z


def is_blocks(data: bytes) -> bool:
    """Whether a file begins as a build does; glTF begins with a brace too."""
    return _BEGINNING.match(data[:256]) is not None


def blocks_in(text: str | bytes) -> tuple[Block, ...]:
    """The blocks that a text describes. Raises `FileFormatError` that says which of them is wrong."""
    if len(text) > MAX_BYTES:
        raise FileFormatError(
            f"It has {len(text):,} bytes; blocks need at most {MAX_BYTES:,}.", "Leave some of them out."
        )
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"It is not sound JSON ({error}).", 'Write {"blocks": [...]}.') from error
    listed = document.get("blocks") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_BLOCKS:
        count = f"{len(listed):,}" if isinstance(listed, list) else "no list of"
        raise FileFormatError(
            f"It holds {count} blocks.", f'Give between 1 and {MOST_BLOCKS} of them under "blocks".'
        )
    return tuple(_block(entry, number) for number, entry in enumerate(listed, 1))


def _block(entry: object, number: int) -> Block:
    known = [field.name for field in fields(Block)]
    if not isinstance(entry, dict) or "kind" not in entry or not set(entry) <= set(known):
        odd = (
            ", ".join(repr(str(name)[:20]) for name in sorted(set(entry) - set(known))[:3])
            if isinstance(entry, dict)
            else ""
        )
        raise FileFormatError(
            f"Block {number} " + (f"has the unknown {odd}." if odd else "says no kind."),
            f"It may have {', '.join(known)}.",
        )
    try:
        return Block(**entry)
    except InputError as error:
        raise FileFormatError(f"Block {number}: {error.what}", error.remedy) from error


def text_of(blocks: Sequence[Block]) -> str:
    """The text that `blocks_in` reads back, one block a line."""
    return (
        '{"blocks": [\n' + ",\n".join(f"  {json.dumps(_plain(asdict(block)))}" for block in blocks) + "\n]}\n"
    )


def _plain(given: Mapping[str, Any]) -> dict[str, object]:
    return {
        name: value if isinstance(value, str) else [round(float(number), 6) for number in value]
        for name, value in given.items()
    }
