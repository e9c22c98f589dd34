"""The model cards of a trained toybox prior and of its sharpener."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.toybox.dataset import HELD_OUT_SEED
from engine.toybox.training.evaluation import FRACTIONS

ROWS = {
    "text": "right words, right cameras",
    "null_text": "no words",
    "wrong_text": "another object's words",
    "wrong_camera": "another view's camera",
    "single_view": "each view alone",
    "given_view_no_text": "no words, one clean view given",
}
"""Keys of the validation errors, and what they mean."""


@dataclass(frozen=True)
class Facts:
    """What the card tells. ``errors`` has mean squared errors of x0 at noise times .9, .75, .5 by condition
    (`ROWS`).
    """

    config: Mapping[str, int]
    step: int
    images: int
    hours: float
    commit: str
    megabytes: float
    words: int
    parameters: int = 0
    objects: int = 0
    errors: Mapping[str, list[float]] = field(default_factory=dict)
    first_seed: int | None = None
    last_seed: int | None = None

    def metrics(self) -> dict[str, object]:
        """The same as JSON."""
        return {**asdict(self), "fractions": list(FRACTIONS)}


def model_card(facts: Facts) -> str:
    """Markdown with the Hub's front matter."""
    return "\n".join([_FRONT, _INTRODUCTION, _training(facts), _numbers(facts), _LIMITS])


_FRONT = """---
license: apache-2.0
library_name: diffusers
pipeline_tag: text-to-image
tags: [multi-view, text-to-3d, image-to-3d]
---
"""

_INTRODUCTION = """# Toybox

A small diffusion model of toy objects seen from any side. It cleans RGBA views of 64 x 64 pixels, any
number of them together, told words, cameras and, where there are some, clean views of the same object.
Maquette ships it so that 3D generation works on a machine without a GPU and without a network.

```python
from engine.prior.toybox import ToyboxPipeline

pipeline = ToyboxPipeline.from_pretrained("presets/priors/toybox")
front, left, back, right = pipeline("a red mug with a blue handle")
```

Channels are 2 rgb - alpha and 2 alpha - 1 of premultiplied colour; the network predicts the clean picture
("sample"). Cameras look at the origin from distance 3.05 with a vertical field of view of 40 degrees; +z is
up and an object's front faces +x.
Guidance of 2 to 3 is enough; above 5 colours run away.
"""

_LIMITS = """## Limits

It knows only the words in `tokenizer/tokenizer.json`; other words count as unknown and say nothing. It was
shown toys and knows nothing of the world: a photograph works as a clean view only where it looks like one
of them, cut out, and roughly centred.

## Licence

Apache-2.0, the project's licence. All pictures and captions were made by the project's own programs; no
other data were used.
"""


def _training(facts: Facts) -> str:
    size = (
        f"{facts.parameters / 1e6:.1f} million parameters (width {facts.config['width']}, "
        f"{facts.config['depth']} blocks)"
    )
    lines = [
        "## Training",
        "",
        f"{size}, {facts.megabytes} MB in half precision, {facts.words} words.",
        f"{facts.images:,} pictures in {facts.step:,} steps, {facts.hours} hours, a running mean of the "
        "weights.",
        f"Exported by the code at commit `{facts.commit}`:",
        "",
        "    python -m engine.toybox.dataset --out CACHE --objects 60000",
        "    python -m engine.toybox.train --out RUN --cache CACHE --hours HOURS",
        "    python -m engine.toybox.train --out RUN --cache CACHE --export FOLDER",
        "",
    ]
    if facts.first_seed is not None:
        lines += [
            f"Trained on the procedural objects of seeds {facts.first_seed:,} to {facts.last_seed:,}, "
            "eight views each.",
            "",
        ]
    return "\n".join(lines)


def _numbers(facts: Facts) -> str:
    head = [
        "## Numbers",
        "",
        f"Mean squared error of the predicted clean views (channels in -1..1) on {facts.objects} objects "
        "never trained on "
        f"(seeds from {HELD_OUT_SEED:,}),",
        "by noise time as a share of the schedule. All rows judge the same pictures.",
        "",
        "| told | " + " | ".join(f"t = {fraction}" for fraction in FRACTIONS) + " |",
        "|---|" + "---|" * len(FRACTIONS),
    ]
    rows = [
        f"| {ROWS[key]} | " + " | ".join(f"{error:.4f}" for error in errors) + " |"
        for key, errors in facts.errors.items()
    ]
    return "\n".join([*head, *rows, ""])


@dataclass(frozen=True)
class SharpenerFacts:
    """What is known of a trained one. ``errors`` (pixels, differences of neighbours) by row, of the last
    examination.
    """

    config: Mapping[str, Any]
    step: int
    images: int
    hours: float
    commit: str
    megabytes: float
    errors: Mapping[str, Sequence[float]]


def sharpener_card(facts: SharpenerFacts) -> str:
    """The card, in Markdown."""
    rows = "\n".join(
        f"| {name} | {pixels:.4f} | {steps:.4f} |" for name, (pixels, steps) in facts.errors.items()
    )
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
