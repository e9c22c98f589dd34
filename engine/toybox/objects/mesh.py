"""The two values a procedural object is made of: a flat-coloured triangle mesh and what is true about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class ToyMesh:
    """Flat-coloured triangles in the canonical pose: +z up, front at +x, bounding box centred, largest vertex
    norm 1.

    `vertices` (V,3) float32; `faces` (F,3) int32, counter-clockwise seen from outside;
    `face_colours` (F,3) float32, display sRGB in 0..1.
    """

    vertices: np.ndarray
    faces: np.ndarray
    face_colours: np.ndarray


@dataclass(frozen=True)
class ToyObject:
    """One drawn object and the words that are true of it.

    `part_colours` maps every colourable part to its colour words, the body first. `bound` names the parts
    whose colour was chosen freely, so that a caption should state it; the others have the kind's usual colour
    or that of the body. `nouns` are names that fit this draw, the kind's own name first. `adjectives`
    describe its proportions.
    """

    kind: str
    mesh: ToyMesh
    part_colours: Mapping[str, str]
    adjectives: tuple[str, ...]
    natural: bool
    bound: tuple[str, ...] = ()
    nouns: tuple[str, ...] = field(default=())
