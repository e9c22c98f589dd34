"""Where an exported object stands and how large it is: in metres, as most formats mean it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CENTRE, BASE = "centre", "base"


@dataclass(frozen=True)
class Placement:
    """``origin``: the middle of the studio's space (`CENTRE`), or of the base, so that it stands on the
    ground (`BASE`).

    ``size_m`` is the longest side of the object's box in metres; 0 leaves it as it is, about two units.
    """

    origin: str = CENTRE
    size_m: float = 0.0

    def of(self, vertices: np.ndarray) -> Similarity:
        """How vertices (N,3) of the world, +z up, become those of the file."""
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        longest = float((high - low).max())
        scale = self.size_m / longest if self.size_m > 0 and longest > 0 else 1.0
        middle = np.array([*(low[:2] + high[:2]) / 2, low[2]]) if self.origin == BASE else np.zeros(3)
        return Similarity(scale, middle)


@dataclass(frozen=True, eq=False)
class Similarity:
    """x -> scale (x - middle)."""

    scale: float
    middle: np.ndarray

    def to_file(self, points: np.ndarray) -> np.ndarray:
        """Points (N,3) of the world as the file has them."""
        return self.scale * (points - self.middle)

    def to_world(self, points: np.ndarray) -> np.ndarray:
        """The way back."""
        return points / self.scale + self.middle
