"""Patches of a mesh: connected faces of one colour, such as a handle, a rim or the legs of a painted
thing.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.editing.mesh_checks import joined_vertices

ALIKE = 0.06  # largest difference of a channel between neighbours of one patch
WHOLE, SPILL = 0.6, 0.3
"""Share of a patch from which on all of it is meant, and under which none of it is."""


def colour_patches(shape: ReferenceShape) -> np.ndarray:
    """The number of each face's patch (F,): faces that share an edge, and whose colours are alike."""
    corners = joined_vertices(shape.vertices, shape.faces)[shape.faces]
    edges = np.sort(corners[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    order = np.lexsort(edges.T)
    same = (edges[order][1:] == edges[order][:-1]).all(1)
    a, b = order[:-1][same] // 3, order[1:][same] // 3
    alike = np.abs(shape.face_colours[a] - shape.face_colours[b]).max(1) < ALIKE
    graph = coo_matrix((np.ones(int(alike.sum())), (a[alike], b[alike])), [len(shape.faces)] * 2)
    return connected_components(graph, directed=False)[1]


def decided_by_patch(share: np.ndarray, patch: np.ndarray) -> np.ndarray:
    """How new each texel is (T,), 0..1, where whole patches are meant: those are new, and what spills onto
    others is not.

    ``patch`` (T,) are the texels' patches. As it is where no patch is meant as a whole, as with a stripe on a
    body.
    """
    count = np.bincount(patch)
    mean = np.bincount(patch, share) / np.maximum(count, 1)
    if not (mean > WHOLE).any():
        return share
    return np.where(mean[patch] > WHOLE, 1.0, np.where(mean[patch] < SPILL, 0.0, share))
