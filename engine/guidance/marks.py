"""Marks of settings that several methods share, so that they look and read the same wherever they stand."""

from __future__ import annotations

from typing import Annotated

from engine.core.fields import Choice, Range
from engine.core.noise_schedule import WEIGHTINGS
from engine.prior.abilities import ADAPTER_STARTS

GuidanceScale = Annotated[
    float, Range(1, 100, 0.1, label="Guidance", help="How hard the prompt pulls. 1 switches guidance off.")
]
GuidanceTMin = Annotated[
    float,
    Range(
        0,
        1,
        0.05,
        label="Guide above",
        advanced=True,
        help="Noise level below which guidance is off: words decide early, and a step without it takes one "
        "pass, not two.",
    ),
]
InitialGuidance = Annotated[
    float,
    Range(
        1,
        1000,
        1,
        label="Initial guidance",
        help="How hard the prompt pulls while nothing is learned. 1: not at all.",
    ),
]
AdapterStart = Annotated[
    str,
    Choice(
        ADAPTER_STARTS,
        label="Start of the copy",
        advanced=True,
        help="Normal: as published, so that published learning rates mean what they say. Uniform: several "
        "times gentler.",
    ),
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
