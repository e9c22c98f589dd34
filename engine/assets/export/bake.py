"""Texture baking: unwrap a mesh with xatlas and ask for the colour of every texel's point on the surface.

Charts lie at least twice `PADDING` texels apart, and texels outside all charts take the colour of the nearest
texel inside one, so that neither bilinear filtering nor the first mip levels mix in a foreign colour.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
import xatlas
from scipy.ndimage import distance_transform_edt

from engine.assets.meshes.mesh_shape import vertex_normals
from engine.errors import InputError

ColourAt = Callable[[np.ndarray], np.ndarray]
"""Display colours (N,3) in 0..1 at points (N,3) of the world."""

PADDING = 4
"""Texels round each chart that hold its colours and nobody else's."""

MOST_PADDING = 32.0
"""What the packer is asked for at most. Where hundreds of charts share a few texels, the atlas grows with its
padding, so that more gains nothing while the time grows with the square: 308 charts on 64 texels took four
minutes.
"""

BLOCK_POINTS = 1 << 18


@dataclass(frozen=True, eq=False)
class Baked:
    """A mesh whose vertices are split along chart borders: ``vertices`` (N,3), ``faces`` (F,3), ``uv`` (N,2)
    with the origin at the top left, ``texture`` (S,S,3) uint8, and unit ``normals`` (N,3), which all copies
    of one vertex share.
    """

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    texture: np.ndarray
    normals: np.ndarray


@dataclass(frozen=True, eq=False)
class TexelMap:
    """A mesh unwrapped onto a texture of ``size``: ``points`` (T,3) and ``normals`` (T,3) of the texels that
    lie on it.

    Texel k stands at ``inside``'s k-th true place (S,S), on the face ``owners[k]``; ``vertices``,
    ``faces``, ``uv``, ``vertex_normals`` as in `Baked`.
    """

    size: int
    points: np.ndarray
    normals: np.ndarray
    inside: np.ndarray
    owners: np.ndarray
    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    vertex_normals: np.ndarray

    def baked(self, colours: np.ndarray) -> Baked:
        """The mesh with display colours (T,3) in 0..1 on its texels, and the nearest of them between its
        charts.
        """
        texture = np.zeros((self.size, self.size, 3), np.uint8)
        texture[self.inside] = np.clip(colours, 0, 1) * 255 + 0.5
        row, column = np.asarray(
            distance_transform_edt(~self.inside, return_distances=False, return_indices=True)
        )
        return Baked(self.vertices, self.faces, self.uv, texture[row, column], self.vertex_normals)


def texels_of(vertices: np.ndarray, faces: np.ndarray, size: int) -> TexelMap:
    """Unwrap a mesh (vertices (N,3), faces (F,3)) and find where on it each texel lies."""
    split, charts, uv = _unwrap(vertices, faces, size)
    smooth = vertex_normals(vertices, faces)[split]
    vertices = np.ascontiguousarray(vertices, np.float64)[split]
    points, owner = _texel_points(vertices, charts, uv * size, size)
    inside = owner >= 0
    corners = vertices[charts[owner[inside]]]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    return TexelMap(size, points[inside], flat, inside, owner[inside], vertices, charts, uv, smooth)


def bake(vertices: np.ndarray, faces: np.ndarray, colour_at: ColourAt, *, size: int = 1024) -> Baked:
    """Unwrap a mesh (vertices (N,3), faces (F,3)) onto a texture of ``size`` squared and colour it.

    Raises `InputError` for an empty mesh, a size below 64, or colours that are not finite.
    """
    if len(faces) == 0 or size < 64:
        raise InputError(
            f"{len(faces)} faces cannot be baked onto {size} texels a side.",
            "Give a mesh, and at least 64 texels.",
        )
    texels = texels_of(vertices, faces, size)
    return texels.baked(_ask(colour_at, texels.points) / 255)


def _unwrap(vertices: np.ndarray, faces: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each new vertex its old one (M,), the faces (F,3) and uv (M,2) in 0..1, packed into one square.

    Seen from outside, no chart is mirrored: xatlas winds all of them like their faces, and here v runs
    downwards.
    """
    padding = 1.75 * PADDING
    mesh = np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(faces, np.uint32)
    atlas = _packed(lambda empty: empty.add_mesh(*mesh), size, padding)
    split, charts, uv = atlas[0]
    # the packer overshoots the size it is asked for; scaling its atlas down shrinks the padding too
    while padding * size < PADDING * (side := max(atlas.width, atlas.height)) and padding < MOST_PADDING:
        padding = min(1.2 * PADDING * side / size, MOST_PADDING)
        # cutting takes ten times as long as packing, so what was cut is packed again
        cut = np.ascontiguousarray(uv * [atlas.width, atlas.height], np.float32), charts
        atlas = _packed(lambda empty, cut=cut: empty.add_uv_mesh(*cut), size, padding)
        copies, charts, uv = atlas[0]
        split = split[copies]
    scale = np.array([atlas.width, atlas.height], np.float64) / side
    upwards = np.clip(uv.astype(np.float64) * scale, 0.0, 1.0)
    return split.astype(np.int64), charts.astype(np.int64), upwards * [1, -1] + [0, 1]


def _packed(add: Callable[[xatlas.Atlas], None], size: int, padding: float) -> xatlas.Atlas:
    atlas = xatlas.Atlas()
    add(atlas)
    charting, packing = xatlas.ChartOptions(), xatlas.PackOptions()
    # it turns a chart by swapping u and v, which mirrors it
    charting.fix_winding, packing.rotate_charts = True, False
    packing.resolution, packing.padding, packing.bilinear = size, math.ceil(padding), True
    atlas.generate(chart_options=charting, pack_options=packing)
    return atlas


def _ask(colour_at: ColourAt, points: np.ndarray) -> np.ndarray:
    """Colours (N,3) uint8 of points, asked for in blocks."""
    colours = np.empty((len(points), 3), np.uint8)
    for start in range(0, len(points), BLOCK_POINTS):
        block = np.asarray(colour_at(points[start : start + BLOCK_POINTS].astype(np.float32)), np.float64)
        if not np.isfinite(block).all():
            raise InputError(
                "The colours of the surface are not finite.",
                "Go back to the last good snapshot and export that.",
            )
        colours[start : start + BLOCK_POINTS] = np.clip(block, 0, 1) * 255 + 0.5
    return colours


@numba.njit(cache=True, nogil=True)
def _texel_points(vertices, faces, texels, size):
    """World point (S,S,3) and face (S,S), -1 if none, of each texel whose centre a face of the atlas covers.

    A texel just outside, by up to one texel, takes the nearest point of a face, unless another covers it:
    seams stay sharp.
    """
    points, owner = np.zeros((size, size, 3)), np.full((size, size), -1, np.int64)
    gap = np.full((size, size), 1.0)
    for face in range(len(faces)):
        a, b, c = texels[faces[face, 0]], texels[faces[face, 1]], texels[faces[face, 2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if abs(area) < 1e-12:
            continue
        first_x, last_x = int(min(a[0], b[0], c[0]) - 1.5), int(max(a[0], b[0], c[0]) + 0.5)
        first_y, last_y = int(min(a[1], b[1], c[1]) - 1.5), int(max(a[1], b[1], c[1]) + 0.5)
        for y in range(max(first_y, 0), min(last_y + 1, size)):
            for x in range(max(first_x, 0), min(last_x + 1, size)):
                px, py = x + 0.5, y + 0.5
                wb = ((px - a[0]) * (c[1] - a[1]) - (py - a[1]) * (c[0] - a[0])) / area
                wc = ((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])) / area
                wb, wc = min(max(wb, 0.0), 1.0), min(max(wc, 0.0), 1.0)
                total = max(wb + wc, 1.0)
                wb, wc = wb / total, wc / total
                dx = a[0] + wb * (b[0] - a[0]) + wc * (c[0] - a[0]) - px
                dy = a[1] + wb * (b[1] - a[1]) + wc * (c[1] - a[1]) - py
                distance = np.sqrt(dx * dx + dy * dy)
                if distance < gap[y, x]:
                    gap[y, x], owner[y, x] = distance, face
                    for k in range(3):
                        corner = vertices[faces[face, 0], k]
                        points[y, x, k] = (
                            corner
                            + wb * (vertices[faces[face, 1], k] - corner)
                            + wc * (vertices[faces[face, 2], k] - corner)
                        )
    return points, owner
