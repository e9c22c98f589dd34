"""Normals of triangle meshes, as files hold them and lamps use them."""

from __future__ import annotations

import numpy as np


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals (N,3): the area-weighted mean of the faces round a vertex; +z where there is none."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    weighted, normals = np.cross(b - a, c - a), np.zeros((len(vertices), 3))
    for k in range(3):
        np.add.at(normals, faces[:, k], weighted)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(length > 1e-20, normals / np.maximum(length, 1e-20), [0.0, 0.0, 1.0])
