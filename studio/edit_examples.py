"""One example for each way to edit, which runs by one click: a thing of the shelf, words, and a box where it needs one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.loop.reference.reference_source import SHELF

HANDLE = "x=-0.35:0.35,y=0.4:1,z=-0.6:0.5"
PAINT, PART, RESTYLE, ENERGY = "Paint", "Change a part", "Restyle", "Energy"


@dataclass(frozen=True)
class EditExample:
    """``source`` is on the shelf; ``words`` are what it becomes; ``region`` as the setting writes it."""

    key: str
    way: str
    source: str
    words: str
    sentence: str
    region: str = ""
    energies: Mapping[str, float] = field(default_factory=dict)  # weights by setting

    @property
    def title(self) -> str:
        return self.way


EXAMPLES = (
    EditExample("paint", PAINT, f"{SHELF}toybox/701000", "a red chair with blue legs", "A chair gets other colours"),
    EditExample("part", PART, f"{SHELF}toybox/700002", "a lime mug with a blue handle", "The handle alone changes", HANDLE),
    EditExample("restyle", RESTYLE, f"{SHELF}toybox/700001", "a brown mug with a red handle", "Only what the words change"),
    EditExample(
        "energy",
        ENERGY,
        f"{SHELF}toybox/701002",
        "a green chair",
        "Refined, with its outline kept and both sides alike",
        energies=MappingProxyType({"energy_symmetry": 2.0, "energy_outline": 2.0}),
    ),
)


def example_named(key: str) -> EditExample | None:
    """The example with this key; None where there is none."""
    return next((each for each in EXAMPLES if each.key == key), None)
