"""What a 3D reference is once it was read: triangles in the canonical pose, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

GRAY = (0.62, 0.62, 0.64)
"""The display colour of a surface that was given none."""


@dataclass(frozen=True)
class Facts:
    """What a file says of itself, as far as it does: ``title``, ``author``, ``licence``, ``source`` (an
    address).
    """

    title: str = ""
    author: str = ""
    licence: str = ""
    source: str = ""


@dataclass(frozen=True, eq=False)
class RawMesh:
    """Triangles as a file holds them: ``vertices`` (N,3) float64, ``faces`` (F,3) int64, ``face_colours``
    (F,3) display 0..1.

    ``up`` is the axis that the file's kind says is up ("" if it says nothing), ``sure`` whether that can be
    relied upon.
    """

    vertices: np.ndarray
    faces: np.ndarray
    face_colours: np.ndarray
    up: str = ""
    sure: bool = False
    front_is_x: bool = False  # made by Maquette: +z up, front +x already
    splats: bool = False
    notes: tuple[str, ...] = ()
    facts: Facts = field(default_factory=Facts)
    outline: np.ndarray | None = (
        None  # faces (F,3) before some were split, by which it is told whether it is closed
    )

    def with_outline(self, faces: np.ndarray) -> RawMesh:
        """With the faces that it had before some were split."""
        return replace(self, outline=faces)

    def noted(self, *notes: str) -> RawMesh:
        """With more notes; empty ones are left out."""
        return replace(self, notes=(*self.notes, *(note for note in notes if note)))


@dataclass(frozen=True, eq=False)
class ReferenceShape:
    """A reference in the canonical pose: +z up, front at +x, bounding box centred at the origin, largest
    vertex norm 1.

    ``vertices`` (N,3) float32, ``faces`` (F,3) int32, ``face_colours`` (F,3) float32 display sRGB in 0..1.
    ``up`` is the axis of the file that points up now, ``confidence`` 0.5..1 how clearly that was the right
    one. ``notes`` say in words what had to be changed.
    """

    vertices: np.ndarray
    faces: np.ndarray
    face_colours: np.ndarray
    name: str = ""
    up: str = "z"
    confidence: float = 1.0
    splats: bool = False
    notes: tuple[str, ...] = ()
    facts: Facts = field(default_factory=Facts)


def canonical(vertices: np.ndarray) -> np.ndarray:
    """Vertices (N,3) moved and scaled so that the bounding box is centred and the largest norm is 1."""
    centred = vertices - 0.5 * (vertices.min(0) + vertices.max(0))
    return centred / np.sqrt((centred**2).sum(1).max())


def triangle_areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area (F,) of each triangle."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals (N,3): the area-weighted mean of the faces round a vertex; +z where there is none."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    weighted, normals = np.cross(b - a, c - a), np.zeros((len(vertices), 3))
    for k in range(3):
        np.add.at(normals, faces[:, k], weighted)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(length > 1e-20, normals / np.maximum(length, 1e-20), [0.0, 0.0, 1.0])
