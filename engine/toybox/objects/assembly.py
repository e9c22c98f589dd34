"""Collect coloured solids into one mesh and bring it to the canonical size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.toybox.objects.mesh import ToyMesh
from engine.toybox.objects.primitives import Solid

Colour = Sequence[float] | np.ndarray
Paint = Mapping[str, np.ndarray]
MIN_FACE_AREA = 1e-8


@dataclass
class Assembly:
    """A growing pile of coloured solids, with the words that describe how they were proportioned."""

    solids: list[Solid] = field(default_factory=list)
    colours: list[Colour] = field(default_factory=list)
    adjectives: list[str] = field(default_factory=list)
    nouns: list[str] = field(default_factory=list)

    def add(self, colour: Colour, *solids: Solid) -> None:
        """Add solids of one display sRGB colour (3,)."""
        self.solids.extend(solids)
        self.colours.extend([colour] * len(solids))

    def describe(self, share: float, low: str, high: str) -> None:
        """Note the word `low` or `high` when a proportion drawn from 0..1 lies in its outer thirds."""
        if share < 0.3:
            self.adjectives.append(low)
        elif share > 0.7:
            self.adjectives.append(high)

    def mesh(self) -> ToyMesh:
        """One mesh of all solids: bounding box centred at the origin, largest vertex norm 1, slivers
        removed.
        """
        counts = np.array([len(s.vertices) for s in self.solids])
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        faces = np.concatenate([s.faces + start for s, start in zip(self.solids, starts, strict=True)])
        colours = np.repeat(np.asarray(self.colours, np.float32), [len(s.faces) for s in self.solids], axis=0)
        vertices = canonical(np.concatenate([s.vertices for s in self.solids]))
        keep = face_areas(vertices, faces) > MIN_FACE_AREA
        return ToyMesh(
            vertices.astype(np.float32), faces[keep].astype(np.int32), np.clip(colours[keep], 0.0, 1.0)
        )


def canonical(vertices: np.ndarray) -> np.ndarray:
    """Vertices (V,3) moved and scaled so that the bounding box is centred and the largest norm is 1."""
    centred = vertices - 0.5 * (vertices.min(0) + vertices.max(0))
    return centred / np.sqrt((centred**2).sum(1).max())


def face_areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area (F,) of each triangle."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    u, v = b - a, c - a
    return 0.5 * np.sqrt(
        (u[:, 1] * v[:, 2] - u[:, 2] * v[:, 1]) ** 2
        + (u[:, 2] * v[:, 0] - u[:, 0] * v[:, 2]) ** 2
        + (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) ** 2
    )
