"""What a surface looks like, and one colour for each of its faces: large faces that show more than one are
split first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.assets.meshes.mesh_shape import RawMesh

Paint = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Display colour and alpha (K,4) at points of faces (K,), told by the shares (K,3) of their corners."""

VARIED = 0.12
"""How far colours within a face differ for it to be split."""

SIDES = 64
"""A face is split only while it is longer than this part of the model."""

MOST_ROUNDS, MOST_FACES = 6, 120_000
SAMPLED_FACES = 500_000
"""Surfaces with more faces are looked at in the middle of each alone."""

REPEAT, CLAMP, MIRROR = "repeat", "clamp", "mirror"
_POINTS = np.array([[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4]], np.float64)
_POINTS /= _POINTS.sum(1, keepdims=True)
_QUARTERS = np.array([[[1, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5]], [[0.5, 0.5, 0], [0, 1, 0], [0, 0.5, 0.5]],
                      [[0.5, 0, 0.5], [0, 0.5, 0.5], [0, 0, 1]],
                          [[0.5, 0.5, 0], [0, 0.5, 0.5], [0.5, 0, 0.5]]])  # fmt: skip


@dataclass(frozen=True, eq=False)
class Texture:
    """A picture (H,W,3 or 4) in display 0..1, and what is beyond its edges along ``u`` and ``v``."""

    picture: np.ndarray
    u: str = REPEAT
    v: str = REPEAT

    def at(self, uv: np.ndarray) -> np.ndarray:
        """Display colour and alpha (K,4) at places (K,2) from the top left."""
        height, width = self.picture.shape[:2]
        places = np.nan_to_num(uv, nan=0.0, posinf=0.0, neginf=0.0)
        columns, rows = _pixel(places[:, 0], width, self.u), _pixel(places[:, 1], height, self.v)
        texels = self.picture[rows, columns]
        return texels if texels.shape[1] == 4 else np.concatenate([texels, np.ones_like(texels[:, :1])], 1)


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles with a look: ``vertices`` (N,3), ``faces`` (F,3), and ``paint``. Faces fainter than
    ``hidden`` are not there.
    """

    vertices: np.ndarray
    faces: np.ndarray
    paint: Paint
    hidden: float = 0.0


def plain(colour: Sequence[float], alpha: float = 1.0) -> Paint:
    """One display colour everywhere."""
    row = np.array([*colour[:3], alpha], np.float64)
    return lambda faces, shares: np.tile(row, (len(faces), 1))


def of_corners(values: np.ndarray, corners: np.ndarray, faces: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """What lies between the ``values`` (N,D) of the faces' ``corners`` (F,3) at points of ``faces`` (K,) told
    by shares (K,3).
    """
    return np.einsum("kc,kcd->kd", shares, values[corners[faces]].astype(np.float64))


def painted(surfaces: Sequence[Surface], **more: Any) -> RawMesh | None:
    """All surfaces as one mesh with a colour for each face; None where nothing can be seen. ``more`` is
    passed to `RawMesh`.
    """
    vertices, faces, colours, whole, start = [], [], [], [], 0
    size = _size(surfaces)
    varied = False
    for surface in surfaces:
        points, corners, colour, split = _split(surface, size)
        varied |= split
        vertices.append(points)
        faces.append(corners + start)
        whole.append(surface.faces + start)
        colours.append(colour)
        start += len(points)
    if not sum(map(len, faces)):
        return None
    joined = RawMesh(np.concatenate(vertices), np.concatenate(faces), np.concatenate(colours), **more)
    if not varied:
        return joined
    outline = np.concatenate(whole)
    return joined.with_outline(outline[((outline >= 0) & (outline < start)).all(1)])


def _size(surfaces: Sequence[Surface]) -> float:
    boxes = [surface.vertices[np.isfinite(surface.vertices).all(1)] for surface in surfaces]
    boxes = [box for box in boxes if len(box)]
    if not boxes:
        return 1.0
    low, high = np.min([box.min(0) for box in boxes], 0), np.max([box.max(0) for box in boxes], 0)
    return float((high - low).max()) or 1.0


def _split(surface: Surface, size: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    """Vertices, faces and colours of a surface, hidden faces left out, and whether any face was split."""
    vertices, faces = surface.vertices.astype(np.float64), surface.faces.astype(np.int64)
    sound: np.ndarray = np.all((faces >= 0) & (faces < len(vertices)), axis=1)
    faces = np.where(sound[:, None], faces, 0) if len(vertices) else faces[:0]
    if len(faces) > SAMPLED_FACES:
        painted = surface.paint(np.arange(len(faces)), np.full((len(faces), 3), 1 / 3))
        kept = sound & (painted[:, 3] >= surface.hidden)
        return vertices, faces[kept], painted[kept, :3], False
    owner, shares = (
        np.flatnonzero(sound[: len(faces)]),
        np.tile(np.eye(3), (int(sound[: len(faces)].sum()), 1, 1)),
    )
    done: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for round_ in range(MOST_ROUNDS + 1):
        painted = _looks(surface.paint, owner, shares)
        long = _length(vertices[faces[owner]], shares) > size / SIDES
        room = len(owner) * 4 + sum(len(part[0]) for part in done) <= MOST_FACES
        more = long & _varied(painted, surface.hidden) & (round_ < MOST_ROUNDS) & room
        done.append((owner[~more], shares[~more], painted[~more].mean(1)))
        owner, shares = (
            np.repeat(owner[more], 4),
            np.einsum("qab,fbc->fqac", _QUARTERS, shares[more]).reshape(-1, 3, 3),
        )
        if not len(owner):
            break
    owner, shares, painted = (np.concatenate(parts) for parts in zip(*done, strict=True))
    kept = painted[:, 3] >= surface.hidden
    return (*_rebuilt(vertices, faces, owner[kept], shares[kept]), painted[kept, :3], len(done) > 1)


def _rebuilt(
    vertices: np.ndarray, faces: np.ndarray, owner: np.ndarray, shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices, the old ones first, and faces of pieces of faces; a face that is whole keeps its corners."""
    pieces = faces[owner].copy()
    split = np.flatnonzero((shares != np.eye(3)).any((1, 2)))
    places = np.einsum("fab,fbc->fac", shares[split], vertices[faces[owner[split]]]).reshape(-1, 3)
    pieces[split] = len(vertices) + np.arange(len(places)).reshape(-1, 3)
    return np.concatenate([vertices, places]), pieces


def _looks(paint: Paint, owner: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Colour and alpha (F,P,4) at the middle of each piece and towards its corners."""
    at = np.einsum("pa,fab->fpb", _POINTS, shares)
    return paint(np.repeat(owner, len(_POINTS)), at.reshape(-1, 3)).reshape(len(owner), len(_POINTS), 4)


def _varied(shades: np.ndarray, hidden: float) -> np.ndarray:
    colours = np.ptp(shades[..., :3], axis=1).max(-1) > VARIED
    there = shades[..., 3] >= hidden
    return colours & there.any(1) | (there.any(1) & ~there.all(1))


def _length(corners: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The longest side (F,) of pieces of faces (F,3,3); 0 where it is none."""
    at = np.einsum("fab,fbc->fac", shares, corners)
    longest = np.linalg.norm(at - np.roll(at, 1, axis=1), axis=-1).max(1)
    return np.nan_to_num(longest, nan=0.0, posinf=0.0)


def _pixel(place: np.ndarray, count: int, beyond: str) -> np.ndarray:
    if beyond == CLAMP:
        place = np.clip(place, 0, 1)
    elif beyond == MIRROR:
        place = 1 - np.abs(place % 2.0 - 1)
    else:
        place = place % 1.0
    return np.minimum((place * count).astype(int), count - 1)
