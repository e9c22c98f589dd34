"""Solids bounded by triangle meshes: handles, bodies, edges that bound nothing, and what pieces that overlap
add up to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import trimesh
from scipy import ndimage
from skimage.measure import euler_number

from engine.core.morphology import filled, pieces_of

VOXELS = 144
"""A side of the grid on which true objects are counted: two voxels are less than a pixel of the pictures that
are optimised.
"""


@dataclass(frozen=True)
class Topology:
    """``genus`` summed over ``bodies`` connected surfaces; ``non_manifold_edges`` have not exactly two
    faces.
    """

    genus: int
    bodies: int
    non_manifold_edges: int


def topology(vertices: np.ndarray, faces: np.ndarray) -> Topology:
    """Of a mesh (vertices (N,3), faces (F,3)); copies of one point count as one vertex.

    Of each body the genus is 1 - (V - E + F) / 2, rounded down to a whole number where it is open.
    """
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    _, uses = np.unique(
        np.sort(mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0, return_counts=True
    )
    bodies = mesh.split(only_watertight=False)
    genus = sum((2 - body.euler_number) // 2 for body in bodies)
    return Topology(int(genus), len(bodies), int((uses != 2).sum()))


def true_topology(vertices: np.ndarray, faces: np.ndarray) -> Topology:
    """Of the union of closed outward pieces that overlap, as toy objects are assembled; gaps of two voxels
    count as closed.

    A filled solid with b pieces and t tunnels has the Euler characteristic b - t.
    """
    around = np.ones((3, 3, 3))
    closed = ndimage.binary_closing(np.pad(winding_number(vertices, faces, VOXELS) > 0, 2), around)
    solid = filled(np.asarray(closed))
    _, bodies = pieces_of(solid, around)
    return Topology(bodies - int(euler_number(solid, connectivity=3)), bodies, 0)


def winding_number(vertices: np.ndarray, faces: np.ndarray, resolution: int) -> np.ndarray:
    """How often closed outward surfaces wind round each point of a grid (R,R,R) over [-1, 1]^3: int32, 0
    outside.

    Signed crossings of the surface are counted along +z, beside the nodes by less than a thousandth of a
    cell, so that no ray runs through an edge of a mesh with round numbers.
    """
    crossings = np.zeros((resolution, resolution, resolution + 1), np.int32)
    _count_crossings(np.asarray(vertices, np.float64), np.asarray(faces, np.int64), crossings)
    return np.cumsum(crossings, axis=2)[:, :, :-1]


@numba.njit(cache=True, nogil=True)
def _count_crossings(vertices, faces, crossings):
    """Add 1 at the first node above a face that faces down, -1 above one that faces up."""
    size = len(crossings)
    cells = (vertices + 1) * (0.5 * (size - 1)) + np.array([3.1e-4, 7.3e-4, 0.0])
    for face in range(len(faces)):
        a, b, c = cells[faces[face, 0]], cells[faces[face, 1]], cells[faces[face, 2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area == 0:
            continue
        for i in range(
            max(0, int(np.ceil(min(a[0], b[0], c[0])))),
            min(size - 1, int(np.floor(max(a[0], b[0], c[0])))) + 1,
        ):
            for j in range(
                max(0, int(np.ceil(min(a[1], b[1], c[1])))),
                min(size - 1, int(np.floor(max(a[1], b[1], c[1])))) + 1,
            ):
                wb = ((i - a[0]) * (c[1] - a[1]) - (j - a[1]) * (c[0] - a[0])) / area
                wc = ((b[0] - a[0]) * (j - a[1]) - (b[1] - a[1]) * (i - a[0])) / area
                if wb < 0 or wc < 0 or wb + wc > 1:
                    continue
                height = a[2] + wb * (b[2] - a[2]) + wc * (c[2] - a[2])
                crossings[i, j, min(max(int(np.ceil(height)), 0), size)] += 1 if area < 0 else -1
