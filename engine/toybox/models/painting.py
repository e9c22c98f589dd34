"""Recolour a model with a colour word: its largest areas take the colour and keep their light and dark."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import face_areas
from engine.toybox.objects.mesh import ToyMesh

LEVELS = 6
"""Steps a channel in which colours count as one area."""
PAINTED_SHARE = 0.6
"""Areas are painted, the largest first, until this share of the surface is."""
LUMA = np.array([0.299, 0.587, 0.114])


def repainted(mesh: ToyMesh, colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Face colours (F,3) of ``mesh`` with its main areas in ``colour`` (3,), shaded as they were."""
    areas = face_areas(mesh.vertices, mesh.faces)
    painted = main_areas(mesh.face_colours, areas)
    luma = mesh.face_colours @ LUMA
    mean = np.average(luma[painted], weights=areas[painted] + 1e-12)
    contrast = rng.uniform(0.3, 0.8)
    shade = np.clip((luma / max(mean, 0.05)) ** contrast, 0.6, 1.3)[:, None]
    return np.where(painted[:, None], np.clip(colour * shade, 0.02, 0.98), mesh.face_colours).astype(np.float32)


def main_areas(colours: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """Which faces (F,) bool belong to the most widespread colours of a mesh, at least `PAINTED_SHARE` of its surface."""
    cells = np.minimum((colours * LEVELS).astype(np.int64), LEVELS - 1) @ np.array([LEVELS**2, LEVELS, 1])
    names, owner = np.unique(cells, return_inverse=True)
    weights = np.bincount(owner, areas, len(names))
    order = np.argsort(-weights)
    before = np.cumsum(weights[order]) - weights[order]
    chosen = np.zeros(len(names), bool)
    chosen[order[before < PAINTED_SHARE * weights.sum()]] = True
    return chosen[owner]
