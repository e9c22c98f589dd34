"""The live settings of score distillation: what pulls on the scene in a step, and how far it moves."""

from __future__ import annotations

from typing import Annotated

from engine.core.fields import Choice, Range, Switch
from engine.core.gradient import CLIPPINGS

AnchorWeight = Annotated[
    float,
    Range(
        0, 5, 0.05, label="Draft anchor", help="How strongly the draft views hold the shape. 0 lets it go."
    ),
]

SurfaceWeight = Annotated[
    float,
    Range(
        0,
        0.2,
        0.005,
        label="Even surface",
        advanced=True,
        help="How strongly splats are laid along the surface that they show, so that it holds under light. "
        "0: not at all.",
    ),
]

DistortionWeight = Annotated[
    float,
    Range(
        0,
        3,
        0.05,
        label="Thin surface",
        advanced=True,
        help="How strongly the splats that one looks at are drawn together in depth. From 3 on it hurts. "
        "0: not at all.",
    ),
]

LearningRate = Annotated[
    float, Range(0.05, 4, 0.05, label="Learning rate", help="Multiplies every rate of the optimiser.")
]

ViewsPerStep = Annotated[
    int,
    Range(1, 16, 1, label="Views a step", advanced=True, help="Pictures rendered and judged in each step."),
]

Background = Annotated[
    str,
    Choice(
        ("white", "grey", "black", "random"),
        label="Background",
        advanced=True,
        help="Behind the object, for priors that see no alpha.",
    ),
]

RoughSteps = Annotated[
    int,
    Range(
        0,
        5000,
        10,
        label="Rough start",
        advanced=True,
        needs="has_vae",
        help="So many steps go past the prior's VAE, with colours as latents: coarse, and each step far "
        "cheaper. 0: none.",
    ),
]

OnePass = Annotated[
    bool,
    Switch(
        label="One pass",
        advanced=True,
        needs="guidance_distilled",
        help="Guidance by the prior's student, which takes one pass instead of two. Off: exact guidance.",
    ),
]
PerpNeg = Annotated[
    bool,
    Switch(
        label="Perp-Neg",
        advanced=True,
        needs="wants_view_words",
        help="Keeps a face from growing on the back: pushes each view off the words of the others. Two "
        "passes more.",
    ),
]

ImageGuidance = Annotated[
    float,
    Range(
        1,
        10,
        0.1,
        label="Image guidance",
        advanced=True,
        needs="takes_source",
        help="How much a prior that edits keeps of the pictures as they were. 1 switches it off.",
    ),
]

GradientClip = Annotated[
    str,
    Choice(
        CLIPPINGS,
        label="Gradient clipping",
        advanced=True,
        help="Bounds the push on each pixel: every channel alone (value), or the pixel by its length or "
        "its largest channel.",
    ),
]

ClipLimit = Annotated[
    float,
    Range(
        0.01,
        1,
        0.01,
        label="Clip limit",
        advanced=True,
        help="The largest push on one pixel where it is clipped.",
    ),
]
