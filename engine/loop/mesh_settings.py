"""The settings of the exported mesh as controls."""

from __future__ import annotations

from typing import Annotated

from engine.assets.export.placement import BASE, CENTRE
from engine.core.fields import Choice, Range

Faces = Annotated[
    int,
    Range(
        500,
        200_000,
        500,
        label="Mesh faces",
        advanced=True,
        help="Triangles of the exported mesh, at most.",
    ),
]
Origin = Annotated[
    str,
    Choice(
        (CENTRE, BASE),
        label="Mesh origin",
        advanced=True,
        help="Where the exported mesh has its origin: in the middle of the studio's space, or below it, so "
        "that it stands.",
    ),
]
SizeMetres = Annotated[
    float,
    Range(
        0,
        100,
        0.01,
        unit="m",
        label="Mesh size",
        advanced=True,
        help="Longest side of the exported mesh. 0: about 2.",
    ),
]
