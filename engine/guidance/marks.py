"""Marks of settings that several methods share, so that they look and read the same wherever they stand."""

from __future__ import annotations

from typing import Annotated

from engine.math.knobs import Choice, Range
from engine.math.noise import WEIGHTINGS

GuidanceScale = Annotated[float, Range(1, 100, 0.1, label="Guidance", help="How hard the prompt pulls. 1 switches guidance off.")]
InitialGuidance = Annotated[
    float,
    Range(1, 1000, 1, label="Initial guidance", help="How hard the prompt pulls while nothing is learned. 1: not at all."),
]
TimeWeight = Annotated[
    str,
    Choice(
        WEIGHTINGS,
        label="Time weight",
        advanced=True,
        help="How much each noise level counts: 1 - abar, 1, sqrt(abar) (1 - abar), or sig / a.",
    ),
]
