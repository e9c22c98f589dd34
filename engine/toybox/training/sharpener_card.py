"""The model card of a sharpener."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SharpenerFacts:
    """What is known of a trained one. ``errors`` (pixels, differences of neighbours) by row, of the last examination."""

    config: Mapping[str, Any]
    step: int
    images: int
    hours: float
    commit: str
    megabytes: float
    errors: Mapping[str, Sequence[float]]


def sharpener_card(facts: SharpenerFacts) -> str:
    """The card, in Markdown."""
    rows = "\n".join(f"| {name} | {pixels:.4f} | {steps:.4f} |" for name, (pixels, steps) in facts.errors.items())
    return f"""# Toybox: the sharpener

Draws a view of the toybox prior cleaned and twice as fine: 64 to 128 pixels, RGBA, each view by itself, in
one pass. A small convolutional U-Net ({facts.megabytes} MB in half precision); the run fits the scene to
its pictures in the stage *sharpen*.

## Training

{facts.images:,} squares of 24 pixels round edges, in {facts.step:,} steps, {facts.hours} hours on a CPU, by
`python -m engine.toybox.train sharpener` at commit `{facts.commit[:12]}`. Its data are procedural objects,
seen at 128 pixels; what it is shown is the prior's own guess at 64 pixels after noise of 8 to 60 % of the
schedule, often blurred once more; a fifth are true views. Colours are exchanged and views mirrored.

## Held-out objects

| mean absolute error, -1..1 | of pixels | of differences between neighbours |
| --- | --- | --- |
{rows}

## Limits

It was shown flat colours with clear edges and makes them of everything; photographs lose their texture.

## Licence

Apache-2.0, the project's licence. All pictures were made by the project's own programs; no other data were
used.
"""
