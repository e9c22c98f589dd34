"""Pictures to try, for somebody who has none at hand: toybox objects, cut out, seen from beside their
fronts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

AZIMUTH_DEG, ELEVATION_DEG = 35.0, 10.0
SEED = 1_800_001
"""Of `engine.toybox.objects.draw_object`; nothing was trained on it."""


@dataclass(frozen=True)
class Sample:
    """A picture of the toybox object of ``kind`` in ``assets``."""

    kind: str
    title: str


SAMPLES = (
    Sample("car", "A red car"),
    Sample("house", "A house with a red roof"),
    Sample("cat", "An orange cat"),
    Sample("mushroom", "A red mushroom"),
)


def sample_file(name: str) -> Path | None:
    """Where the picture with this file name lies; None if there is none."""
    known = {f"{sample.kind}.png" for sample in SAMPLES}
    return Path(__file__).parent / "assets" / f"sample-{name}" if name in known else None


def plain_samples() -> list[dict[str, object]]:
    """The samples as the browser takes them."""
    return [
        {"file": f"{sample.kind}.png", "title": sample.title, "azimuth": AZIMUTH_DEG} for sample in SAMPLES
    ]
