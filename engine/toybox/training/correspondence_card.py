"""The model card of a correspondence adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.toybox.training.evaluation import FRACTIONS


@dataclass(frozen=True)
class CorrespondenceFacts:
    """What is known of a trained one. ``errors`` by row and noise time, of the last examination."""

    config: Mapping[str, Any]
    step: int
    images: int
    hours: float
    commit: str
    megabytes: float
    errors: Mapping[str, Sequence[float]]


def correspondence_card(facts: CorrespondenceFacts) -> str:
    """The card, in Markdown."""
    head = " | ".join(f"t = {fraction}" for fraction in FRACTIONS)
    rows = "\n".join(
        f"| {name} | {' | '.join(f'{each:.4f}' for each in row)} |" for name, row in facts.errors.items()
    )
    return f"""# Toybox: the correspondence adapter

Views of one object attend to each other along the surface that they show (after MVDiffusion, arXiv
2307.01097), while a mesh is painted. {facts.megabytes} MB in half precision; the prior itself is frozen,
and a new adapter changes nothing.

## Training

{facts.images:,} views in {facts.step:,} steps, {facts.hours} hours on a CPU,
by `python -m engine.toybox.train correspondence`
at commit `{facts.commit[:12]}`. Its data are procedural objects, whose correspondences are known.

## Held-out objects

| channels -1..1 | {head} |
| {" | ".join(["---"] * (len(FRACTIONS) + 1))} |
{rows}

## Licence

Apache-2.0, the project's licence. All pictures were made by the project's own programs; no other data
were used.
"""
