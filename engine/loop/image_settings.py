"""The settings of given pictures as controls."""

from __future__ import annotations

from typing import Annotated

from engine.core.fields import Choice, Range
from engine.prior.vision.entries import WITHOUT_MODEL, photo_ids

SET, AUTO, OFF = "set", "auto", "off"

CutOut = Annotated[
    str,
    Choice(
        (*WITHOUT_MODEL, *photo_ids("mask")),
        label="Cut out by",
        advanced=True,
        goes_with="images",
        help="How the object is told from its background. Auto: by its transparency, or else by what the "
        "border looks like. "
        "A model has to be fetched once, and is for photos that this fails on.",
    ),
]
Standing = Annotated[
    str,
    Choice(
        (SET, AUTO),
        label="Camera height is",
        advanced=True,
        goes_with="images",
        help="Set by you, or estimated by asking the prior from which height the pictures look most "
        "familiar.",
    ),
]
Facing = Annotated[
    str,
    Choice(
        (SET, AUTO),
        label="Camera side is",
        advanced=True,
        goes_with="images",
        help="Set with each picture, or estimated for the first by asking the prior from which side it "
        "looks most familiar; "
        "the others keep their turn from it.",
    ),
]
Elevation = Annotated[
    float,
    Range(
        -30,
        80,
        1,
        unit="°",
        label="Camera height",
        advanced=True,
        goes_with="images",
        help="How far above the object pictures were taken.",
    ),
]
Fill = Annotated[
    float,
    Range(
        0.3,
        1,
        0.01,
        label="Fill",
        advanced=True,
        goes_with="images",
        help="How much of the frame the object takes in automatic crops.",
    ),
]
Relief = Annotated[
    str,
    Choice(
        (OFF, *photo_ids("depth")),
        label="Relief by",
        advanced=True,
        goes_with="images",
        help="A model, to be fetched once, that estimates how near each part of the pictures is. The shape "
        "is held to that.",
    ),
]
Normals = Annotated[
    str,
    Choice(
        (OFF, *photo_ids("normals")),
        label="Normals by",
        advanced=True,
        goes_with="images",
        help="A model, to be fetched once, that estimates which way each part of the pictures faces. The "
        "shape is held to that.",
    ),
]
Fidelity = Annotated[
    float,
    Range(
        0,
        1,
        0.05,
        label="Fidelity",
        goes_with="images",
        help="Left: the prior's imagination alone. Right: the given pictures alone. In the middle both "
        "count in full.",
    ),
]
Depth = Annotated[
    float,
    Range(
        0,
        1,
        0.01,
        label="Relief weight",
        advanced=True,
        goes_with="images",
        help="How strongly the estimated relief of the pictures holds the shape. Without a model for it, "
        "it does nothing.",
    ),
]
NormalsWeight = Annotated[
    float,
    Range(
        0,
        1,
        0.01,
        label="Normals weight",
        advanced=True,
        goes_with="images",
        help="How strongly the estimated normals of the pictures hold the shape. Without a model for them, "
        "it does nothing.",
    ),
]
