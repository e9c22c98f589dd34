"""What is told of a trained reference controller, as numbers and as a model card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.toybox.training.evaluation import FRACTIONS


@dataclass(frozen=True)
class ControllerFacts:
    """``base`` is the digest of the prior's weights that it guides, or nothing if that was not noted.

    ``errors`` are mean squared errors of x0 at noise times .9, .75, .5, by what is wanted and what reference is shown.
    """

    config: Mapping[str, object]
    left_out: tuple[str, ...]
    base: str
    step: int
    images: int
    hours: float
    commit: str
    megabytes: float
    errors: Mapping[str, list[float]]


def controller_card(facts: ControllerFacts) -> str:
    """Markdown with the Hub's front matter."""
    left_out = f" Left out: {', '.join(facts.left_out)}." if facts.left_out else ""
    guided = f" It belongs to the prior's weights `{facts.base}` (the beginning of their SHA-256)." if facts.base else ""
    training = (
        f"{facts.megabytes} MB in half precision. {facts.images:,} pictures in {facts.step:,} steps, {facts.hours} hours, "
        f"a running mean of the weights.{left_out}{guided}\nExported by the code at commit `{facts.commit}`."
    )
    head = ["| wanted, reference | " + " | ".join(f"t = {f}" for f in FRACTIONS) + " |", "|---|" + "---|" * len(FRACTIONS)]
    rows = [f"| {name} | " + " | ".join(f"{error:.4f}" for error in errors) + " |" for name, errors in facts.errors.items()]
    return "\n".join([_INTRODUCTION, "## Training\n", training, "", _NUMBERS, *head, *rows, "", _LICENCE])


_INTRODUCTION = """---
license: apache-2.0
library_name: diffusers
tags: [multi-view, reference-guided, image-to-3d]
---

# Toybox reference controller

A meta-ControlNet (after Phidias, arXiv 2409.11406, whose own code and weights were not released) that lets a 3D reference guide
the toybox prior in the folder above. It sees the reference as canonical coordinate maps from every target camera, compares it
with what is wanted (a picture, or the words alone), and adds to the features of the prior's stem. The prior itself is frozen.
"""

_NUMBERS = """## Numbers

Mean squared error of the predicted clean views (channels in -1..1) on objects never trained on, by noise time as a share of the
schedule: told words alone or one picture too, without a reference, with the object itself as reference, with another object of
its kind, and with one of another kind.
"""

_LICENCE = """## Licence

Apache-2.0, the project's licence. All references were made by the project's own programs; no other data were used.
"""
