"""Viewpoints all over a sphere, and T3Bench's regional convolution of what was seen from them (arXiv 2310.02977)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh

ROUNDS = 3


@dataclass(frozen=True, eq=False)
class Icosphere:
    """``directions`` (V,3) of unit length; ``neighbours`` of each vertex. V is 12, 42, 162 ... at level 0, 1, 2 ..."""

    directions: np.ndarray
    neighbours: tuple[tuple[int, ...], ...]

    @property
    def azimuths_deg(self) -> np.ndarray:
        """Azimuth (V,) in degrees from +x towards +y."""
        return np.degrees(np.arctan2(self.directions[:, 1], self.directions[:, 0]))

    @property
    def elevations_deg(self) -> np.ndarray:
        """Elevation (V,) in degrees above the horizon."""
        return np.degrees(np.arcsin(np.clip(self.directions[:, 2], -1, 1)))


def icosphere(level: int) -> Icosphere:
    """The icosahedron, each of whose faces was split in four ``level`` times."""
    mesh = trimesh.creation.icosphere(subdivisions=level, radius=1.0)
    return Icosphere(np.asarray(mesh.vertices, np.float64), tuple(tuple(sorted(near)) for near in mesh.vertex_neighbors))


def regional(scores: np.ndarray, sphere: Icosphere, rounds: int = ROUNDS) -> np.ndarray:
    """Scores (V,) after so many rounds in which every vertex takes the mean of itself and its neighbours.

    One lucky viewpoint is worth less than a good region: constants stay, and the maximum never rises.
    """
    scores = np.asarray(scores, np.float64)
    for _ in range(rounds):
        scores = np.array([(scores[v] + scores[list(near)].sum()) / (1 + len(near)) for v, near in enumerate(sphere.neighbours)])
    return scores
