"""Polygons to triangles: convex ones as fans, others by cutting ears (G. Meisters, Amer. Math. Monthly 82,
1975).
"""

from __future__ import annotations

import numpy as np

MOST_CORNERS = 2000
"""Of a polygon whose ears are cut, which takes the square of their number; larger ones stay fans."""


def triangulated(
    vertices: np.ndarray, lengths: np.ndarray, corners: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Faces (F,3) as numbers of corners, and the polygon (F,) of each, of polygons of ``lengths`` (P,)
    corners in a row.

    ``corners`` (C,) are numbers of ``vertices`` (N,3). Faces index ``corners``, so that what belongs to a
    corner (a place in a texture) can be looked up too; they keep the polygons' order and sense of rotation.
    Polygons of two corners fall out.
    """
    starts = np.cumsum(lengths) - lengths
    places = _places(vertices, corners)
    faces, owners = [np.zeros((0, 3), np.int64)], [np.zeros(0, np.int64)]
    for count in np.unique(lengths[lengths > 2]):
        rows = np.flatnonzero(lengths == count)
        around = starts[rows, None] + np.arange(count)
        fans = _fan(int(count))[None] + starts[rows, None, None]
        bad = _folded(places, around, fans) if count > 3 else np.zeros(len(rows), bool)
        for row in np.flatnonzero(bad):
            fans[row] = around[row][_ears(places[around[row]])]
        faces.append(fans.reshape(-1, 3))
        owners.append(np.repeat(rows, count - 2))
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return np.concatenate(faces)[order], owner[order]


def _places(vertices: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Where each corner lies (C,3); corners that are not there, and places that are none, at the origin: they
    fall out later.
    """
    inside = (corners >= 0) & (corners < len(vertices))
    places = np.zeros((len(corners), 3))
    places[inside] = np.nan_to_num(vertices[corners[inside]], nan=0.0, posinf=0.0, neginf=0.0)
    return places


def _fan(count: int) -> np.ndarray:
    return np.stack([np.zeros(count - 2, np.int64), np.arange(1, count - 1), np.arange(2, count)], 1)


def _folded(places: np.ndarray, around: np.ndarray, fans: np.ndarray) -> np.ndarray:
    """Which polygons' fans (P,T,3) turn back on themselves: one of their triangles faces away from the
    whole.
    """
    at = places[around]
    normal = np.cross(at, np.roll(at, -1, axis=1)).sum(1)  # Newell: twice the area, as a vector
    a, b, c = (places[fans[..., k]] for k in range(3))
    facing = np.einsum("ptj,pj->pt", np.cross(b - a, c - a), normal)
    return (facing < -1e-9 * (normal**2).sum(1, keepdims=True)).any(1)


def _ears(places: np.ndarray) -> np.ndarray:
    """Triangles (N-2,3) of a simple polygon (N,3), seen along its normal."""
    count = len(places)
    if count > MOST_CORNERS:
        return _fan(count)
    flat = _flat(places)
    left, triangles = list(range(count)), []
    while len(left) > 3:
        ear = _ear(flat, left)
        triangles.append((left[ear - 1], left[ear], left[(ear + 1) % len(left)]))
        del left[ear]
    return np.array([*triangles, tuple(left)])


def _flat(places: np.ndarray) -> np.ndarray:
    """The polygon (N,2) in its own plane, counter-clockwise."""
    centred = places - places.mean(0)
    normal = np.cross(centred, np.roll(centred, -1, axis=0)).sum(0)
    across = np.eye(3)[np.abs(normal).argmin()]
    first = np.cross(normal, across)
    second = np.cross(normal, first)
    lengths = np.maximum([np.linalg.norm(first), np.linalg.norm(second)], 1e-30)
    return np.stack([centred @ first / lengths[0], centred @ second / lengths[1]], 1)


def _ear(flat: np.ndarray, left: list[int]) -> int:
    """The place in ``left`` of a corner that can be cut: convex, and no other corner in its triangle; else
    the most convex.
    """
    at = flat[left]
    before, after = np.roll(at, 1, axis=0), np.roll(at, -1, axis=0)
    turn = _cross(at - before, after - at)
    for place in np.argsort(-turn):
        if turn[place] <= 0:
            break
        a, b, c = before[place], at[place], after[place]
        others = np.delete(at, [place - 1, place, (place + 1) % len(left)], axis=0)
        others = others[(others != a).any(1) & (others != b).any(1) & (others != c).any(1)]
        within = (
            (_cross(b - a, others - a) >= 0)
            & (_cross(c - b, others - b) >= 0)
            & (_cross(a - c, others - c) >= 0)
        )
        if not within.any():
            return int(place)
    return int(turn.argmax())


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
