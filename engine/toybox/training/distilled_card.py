"""The model card of a guided student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.prior.toybox.distilled import LARGEST_GUIDANCE
from engine.toybox.training.evaluation import FRACTIONS


@dataclass(frozen=True)
class DistilledFacts:
    """What is known of a trained one. ``base`` is the digest of the weights it learned from; ``errors`` are
    by row and time.
    """

    base: str
    step: int
    images: int
    hours: float
    commit: str
    megabytes: float
    errors: Mapping[str, Sequence[float]]


def distilled_card(facts: DistilledFacts) -> str:
    """The card, in Markdown."""
    rows = "\n".join(
        f"| {name} | " + " | ".join(f"{error:.5f}" for error in errors) + " |"
        for name, errors in facts.errors.items()
    )
    return f"""# Toybox: the guided student

The toybox prior, told the guidance scale (1 to {LARGEST_GUIDANCE:g}): one pass answers as two passes and
classifier-free guidance do (arXiv 2210.03142). {facts.megabytes} MB in half precision. Text encoder and
stem are the prior's own. Negative words, higher scales and methods that need the two predictions one by one
use the prior itself.

## Training

{facts.images:,} pictures in {facts.step:,} steps, {facts.hours} hours on a CPU, a running mean of the
weights, by `python -m engine.toybox.train distilled` at commit `{facts.commit[:12]}`. Its data are
procedural objects and the answers of the prior with weights `{facts.base}` (the beginning of their
SHA-256).

## Held-out objects

Mean squared distance from the guided prior (channels in -1..1) by noise time as a share of the schedule;
*one pass* is the prior without guidance.

| told | {" | ".join(f"t = {fraction}" for fraction in FRACTIONS)} |
| --- | {" | ".join("---" for _ in FRACTIONS)} |
{rows}

## Licence

Apache-2.0, the project's licence. All pictures were made by the project's own programs; no other data
were used.
"""
