"""Closed solids with outward winding, all grown from one primitive: the loft, a skin over a stack of
rings.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

Vector = Sequence[float] | np.ndarray
Vectors = Sequence[Vector] | np.ndarray


class Solid(NamedTuple):
    """A closed triangle surface: `vertices` (V,3) float64 and `faces` (F,3) int64, counter-clockwise seen
    from outside.
    """

    vertices: np.ndarray
    faces: np.ndarray


def signed_volume(solid: Solid) -> float:
    """Volume enclosed by a closed solid; positive when its faces wind outward (divergence theorem)."""
    a, b, c = (solid.vertices[solid.faces[:, k]] for k in range(3))
    cross_x = b[:, 1] * c[:, 2] - b[:, 2] * c[:, 1]
    cross_y = b[:, 2] * c[:, 0] - b[:, 0] * c[:, 2]
    cross_z = b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]
    return float(a[:, 0] @ cross_x + a[:, 1] @ cross_y + a[:, 2] @ cross_z) / 6.0


def outward(solid: Solid) -> Solid:
    """The same solid, with its faces reversed where they wound inward."""
    return solid if signed_volume(solid) >= 0 else Solid(solid.vertices, solid.faces[:, ::-1])


@lru_cache(maxsize=512)
def _skin(rings: int, points: int, closed: bool) -> np.ndarray:
    """Faces (F,3) of a loft: quads between neighbouring rings, then a fan at each end (centres last) unless
    closed.
    """
    r, i = np.meshgrid(np.arange(rings if closed else rings - 1), np.arange(points), indexing="ij")
    r, i = r.ravel(), i.ravel()
    low, high, right = r * points, (r + 1) % rings * points, (i + 1) % points
    quads = np.concatenate(
        [np.stack([low + i, low + right, high + right], 1), np.stack([low + i, high + right, high + i], 1)]
    )
    if closed:
        return quads
    around = np.arange(points)
    after, last, bottom = (around + 1) % points, (rings - 1) * points, rings * points
    floor = np.stack([np.full(points, bottom), after, around], 1)
    lid = np.stack([np.full(points, bottom + 1), last + around, last + after], 1)
    return np.concatenate([quads, floor, lid])


def loft(rings: np.ndarray, closed: bool = False) -> Solid:
    """Skin over `rings` (R,N,3); the ends are closed by fans, or joined to each other when `closed`."""
    count, points, _ = rings.shape
    vertices = rings.reshape(-1, 3)
    if not closed:
        vertices = np.concatenate([vertices, rings[[0, -1]].mean(1)])
    return outward(Solid(vertices, _skin(count, points, closed)))


@lru_cache(maxsize=64)
def circle(segments: int) -> np.ndarray:
    """Unit circle (N,2), counter-clockwise."""
    angle = np.arange(segments) * (2 * np.pi / segments)
    return np.stack([np.cos(angle), np.sin(angle)], 1)


def moved(solid: Solid, offset: Vector) -> Solid:
    """The solid shifted by `offset` (3,)."""
    return Solid(solid.vertices + np.asarray(offset, float), solid.faces)


def stretched(solid: Solid, factors: Vector) -> Solid:
    """The solid scaled per axis about the origin; a mirror image keeps its outward winding."""
    return outward(Solid(solid.vertices * np.asarray(factors, float), solid.faces))


def turned(solid: Solid, axis: str, angle_deg: float) -> Solid:
    """The solid rotated about the axis "x", "y" or "z" through the origin (right-handed)."""
    k = "xyz".index(axis)
    a, b = (k + 1) % 3, (k + 2) % 3
    angle = np.deg2rad(angle_deg)
    vertices = solid.vertices.copy()
    vertices[:, a] = np.cos(angle) * solid.vertices[:, a] - np.sin(angle) * solid.vertices[:, b]
    vertices[:, b] = np.sin(angle) * solid.vertices[:, a] + np.cos(angle) * solid.vertices[:, b]
    return Solid(vertices, solid.faces)


def lathe(profile: Vectors, segments: int = 18) -> Solid:
    """Revolve a profile of (radius, z) pairs about the z axis; open ends are capped with flat discs."""
    outline = np.asarray(profile, float)
    rings = np.empty((len(outline), segments, 3))
    rings[:, :, :2] = np.maximum(outline[:, :1], 1e-9)[:, None] * circle(segments)
    rings[:, :, 2] = outline[:, 1:]
    return loft(rings)


def hoop(profile: Vectors, segments: int = 18) -> Solid:
    """Revolve a closed polygon of (radius, z) pairs that stays clear of the z axis: tyres, rims, scarves."""
    outline = np.asarray(profile, float)
    around = circle(segments)
    rings = np.empty((segments, len(outline), 3))
    rings[:, :, :2] = around[:, None] * outline[:, :1]
    rings[:, :, 2] = outline[:, 1]
    return loft(rings, closed=True)


def ball(radii: Vector | float, centre: Vector = (0, 0, 0), segments: int = 14, rings: int = 8) -> Solid:
    """Ellipsoid with the given semi-axes (one number: a sphere)."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)
    sphere = lathe(np.stack([np.cos(angle), np.sin(angle)], 1), segments)
    return Solid(sphere.vertices * radii + np.asarray(centre, float), sphere.faces)


def box(size: Vector, centre: Vector = (0, 0, 0), taper: Vector = (1, 1)) -> Solid:
    """Box of `size` (3,) about `centre`; `taper` scales the top face along x and y."""
    square = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) * 0.5
    rings = np.empty((2, 4, 3))
    rings[0, :, :2], rings[1, :, :2] = square, square * taper
    rings[:, :, 2] = [[-0.5], [0.5]]
    return loft(rings * np.asarray(size, float) + np.asarray(centre, float))


def rounded_box(
    size: Vector, centre: Vector = (0, 0, 0), radius: float = 0.04, taper: Vector = (1, 1)
) -> Solid:
    """Box with rounded vertical edges and bevelled top and bottom edges of `radius`."""
    sx, sy, sz = (0.5 * s for s in size)
    bend = min(radius, 0.95 * sx, 0.95 * sy, 0.95 * sz)
    quarter = np.deg2rad(np.array([0.0, 45.0, 90.0]))
    corners = [(1, 1, 0.0), (-1, 1, 0.5), (-1, -1, 1.0), (1, -1, 1.5)]
    outline = np.concatenate(
        [
            np.stack(
                [
                    x * (sx - bend) + bend * np.cos(quarter + t * np.pi),
                    y * (sy - bend) + bend * np.sin(quarter + t * np.pi),
                ],
                1,
            )
            for x, y, t in corners
        ]
    )
    inner = outline * [(sx - 0.6 * bend) / sx, (sy - 0.6 * bend) / sy]
    rings = np.empty((4, len(outline), 3))
    rings[:, :, :2] = np.stack([inner, outline, outline * taper, inner * taper])
    rings[:, :, 2] = np.array([-sz, -sz + 0.6 * bend, sz - 0.6 * bend, sz])[:, None]
    return loft(rings + np.asarray(centre, float))


def slab(outline: Vectors, thickness: float, bevel: float = 0.0) -> Solid:
    """Extrude an (x, z) outline, star-shaped about its mean, symmetrically along y; `bevel` rounds the
    rim.
    """
    flat = np.asarray(outline, float)
    half = 0.5 * thickness
    scales, depths = ([1.0, 1.0], [-half, half])
    if bevel:
        scales, depths = [1 - bevel, 1, 1, 1 - bevel], [-half, -0.55 * half, 0.55 * half, half]
    centre = flat.mean(0)
    rings = np.empty((len(scales), len(flat), 3))
    rings[:, :, ::2] = centre + (flat - centre) * np.array(scales)[:, None, None]
    rings[:, :, 1] = np.array(depths)[:, None]
    return loft(rings)


def tube(path: Vectors, radii: Vector | float, segments: int = 8, flatten: float = 1.0) -> Solid:
    """Round tube along a path of points (P,3); `flatten` squeezes the section along the path's mean
    normal.
    """
    points = np.asarray(path, float)
    tangents = np.gradient(points, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    chord = points[-1] - points[0]
    spread = np.cross(tangents[0], tangents[-1])
    reference = spread if np.linalg.norm(spread) > 1e-3 else np.eye(3)[np.argmin(np.abs(chord))]
    side = reference - (tangents @ reference)[:, None] * tangents
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(tangents, side)
    section = circle(segments)
    width = np.broadcast_to(np.asarray(radii, float), len(points))[:, None, None]
    rings = points[:, None] + width * (
        section[None, :, :1] * side[:, None] + flatten * section[None, :, 1:] * up[:, None]
    )
    return loft(rings)


def rod(
    start: Vector, end: Vector, radius: float, end_radius: float | None = None, segments: int = 8
) -> Solid:
    """Straight round bar between two points, optionally tapering to `end_radius`."""
    return tube([start, end], [radius, radius if end_radius is None else max(end_radius, 1e-6)], segments)


def cone(start: Vector, tip: Vector, radius: float, segments: int = 10) -> Solid:
    """Cone whose base of `radius` lies at `start` and whose point is `tip`."""
    return rod(start, tip, radius, 0.0, segments)


def disc(radius: float, thickness: float, centre: Vector, axis: str = "x", segments: int = 14) -> Solid:
    """Flat cylinder about `centre` whose round face looks along the axis "x", "y" or "z"."""
    step = np.eye(3)["xyz".index(axis)] * (0.5 * thickness)
    middle = np.asarray(centre, float)
    return tube([middle - step, middle + step], radius, segments)


def annulus(
    inner: float,
    outer: float,
    thickness: float,
    centre: Vector = (0, 0, 0),
    axis: str = "x",
    segments: int = 18,
) -> Solid:
    """Flat ring about `centre` whose face looks along the axis "x", "y" or "z"."""
    half = 0.5 * thickness
    flat = hoop([(inner, -half), (outer, -half), (outer, half), (inner, half)], segments)
    return moved({"x": turned(flat, "y", 90), "y": turned(flat, "x", 90), "z": flat}[axis], centre)
