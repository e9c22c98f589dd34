"""One example for each way to edit, which runs by one click: a thing of the shelf, words, and a box where it needs one."""

from __future__ import annotations

from dataclasses import dataclass

from engine.loop.reference.reference_source import SHELF

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

    @property
    def title(self) -> str:
        return self.way


EXAMPLES = (
    EditExample("paint", PAINT, f"{SHELF}toybox/701000", "a red chair with blue legs", "A chair gets other colours"),
    EditExample("part", PART, f"{SHELF}toybox/701001", "a mug", "The handle changes, and the mug stays", "y=0.2:1"),
    EditExample("restyle", RESTYLE, f"{SHELF}toybox/701001", "a mug", "Only what the words change"),
    EditExample("energy", ENERGY, f"{SHELF}toybox/701000", "a chair", "Symmetry"),
)


def example_named(key: str) -> EditExample | None:
    """The example with this key; None where there is none."""
    return next((each for each in EXAMPLES if each.key == key), None)
