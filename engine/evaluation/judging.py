"""One asset, judged: seen from viewpoints all over a sphere, and from azimuths all the way round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import trimesh

from engine.core.camera import orbit_camera
from engine.loop.frames import render_rgba
from engine.loop.messages import SceneCopy
from engine.scoring.base import Scorer, ScorerInfo

ROUNDS = 3

BACK_DEG = 135.0  # a view this far from the front, or farther, is one from behind
BATCH = 18


@dataclass(frozen=True, eq=False)
class Icosphere:
    """``directions`` (V,3) of unit length; ``neighbours`` of each vertex. V is 12, 42, 162 ... at level 0, 1,
    2 ...
    """

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
    return Icosphere(
        np.asarray(mesh.vertices, np.float64), tuple(tuple(sorted(near)) for near in mesh.vertex_neighbors)
    )


def regional(scores: np.ndarray, sphere: Icosphere, rounds: int = ROUNDS) -> np.ndarray:
    """Scores (V,) after so many rounds in which every vertex takes the mean of itself and its neighbours.

    One lucky viewpoint is worth less than a good region: constants stay, and the maximum never rises.
    """
    scores = np.asarray(scores, np.float64)
    for _ in range(rounds):
        scores = np.array(
            [
                (scores[v] + scores[list(near)].sum()) / (1 + len(near))
                for v, near in enumerate(sphere.neighbours)
            ]
        )
    return scores


@dataclass(frozen=True)
class Look:
    """From where assets are judged. ``radius`` 0 and no ``fovs_deg`` mean the cameras that the asset was made
    with.
    """

    icosphere_level: int = 2
    fovs_deg: tuple[float, ...] = ()
    radius: float = 0.0
    azimuths: int = 8
    elevation_deg: float = 15.0
    rounds: int = ROUNDS

    def azimuths_deg(self) -> list[float]:
        """The azimuths of the ring, from the front towards +y."""
        return [360.0 * i / self.azimuths for i in range(self.azimuths)]


LOOKS = {"studio": Look(), "t3bench": Look(fovs_deg=(60.0, 45.0, 36.0, 30.0, 24.0), radius=2.2)}
"""``t3bench`` has its 162 viewpoints, its radius and its five fields of view, the best of which counts."""


@dataclass(frozen=True)
class Judgement:
    """``quality``: points of the best region of the sphere, as in T3Bench. ``best``, ``mean``, ``worst``:
    points over azimuths.

    ``azimuth_scores`` are raw. ``janus``: the share of views from behind that look like the front; None if
    that cannot be told.
    """

    quality: float
    best: float
    mean: float
    worst: float
    best_azimuth_deg: float
    worst_azimuth_deg: float
    azimuth_scores: tuple[float, ...]
    janus: float | None

    def as_plain(self) -> dict[str, Any]:
        """The fields as JSON has them."""
        return asdict(self)

    @staticmethod
    def from_plain(table: dict[str, Any]) -> Judgement:
        """The inverse of ``as_plain``. Raises TypeError or KeyError for another table."""
        return Judgement(**{**table, "azimuth_scores": tuple(table["azimuth_scores"])})


def judge(copy: SceneCopy, prompt: str, scorer: Scorer, look: Look) -> Judgement | None:
    """What the scorer says of a finished asset; None if it cannot judge this prompt."""
    azimuths = look.azimuths_deg()
    ring = _render(
        copy, azimuths, [look.elevation_deg] * len(azimuths), copy.fov_deg, copy.distance, scorer.info
    )
    scores = scorer.scores(ring, prompt)
    if scores is None:
        return None
    sphere = icosphere(look.icosphere_level)
    by_view = _sphere_scores(copy, prompt, scorer, look, sphere.azimuths_deg, sphere.elevations_deg)
    points = in_points(scores, scorer.info)
    best, worst = int(np.argmax(points)), int(np.argmin(points))
    return Judgement(
        quality=float(in_points(regional(by_view, sphere, look.rounds), scorer.info).max()),
        best=float(points[best]), mean=float(points.mean()), worst=float(points[worst]),
        best_azimuth_deg=azimuths[best], worst_azimuth_deg=azimuths[worst],
        azimuth_scores=tuple(float(score) for score in scores),
        janus=janus_rate(scorer.fronts(ring, prompt), azimuths),
    )  # fmt: skip


def in_points(scores: np.ndarray, info: ScorerInfo) -> np.ndarray:
    """Raw scores on the scorer's scale of about 0 to 100."""
    slope, offset = info.points
    return slope * np.asarray(scores, np.float64) + offset


def janus_rate(fronts: np.ndarray | None, azimuths_deg: Sequence[float]) -> float | None:
    """The share of views from behind that look like the front; None if nobody can tell or no view is from
    behind.
    """
    turned = np.abs((np.asarray(azimuths_deg) + 180) % 360 - 180)
    behind = turned >= BACK_DEG
    return None if fronts is None or not behind.any() else float(np.asarray(fronts)[behind].mean())


def _sphere_scores(
    copy: SceneCopy,
    prompt: str,
    scorer: Scorer,
    look: Look,
    azimuths_deg: np.ndarray,
    elevations_deg: np.ndarray,
) -> np.ndarray:
    """The score (V,) of each viewpoint: the best over the fields of view."""
    by_fov = [
        scorer.scores(
            _render(copy, azimuths_deg, elevations_deg, fov, look.radius or copy.distance, scorer.info),
            prompt,
        )
        for fov in look.fovs_deg or (copy.fov_deg,)
    ]
    answered = [scores for scores in by_fov if scores is not None]
    assert len(answered) == len(by_fov), "a scorer that reads the prompt scores every picture"
    return np.max(np.stack(answered), axis=0)


def _render(
    copy: SceneCopy,
    azimuths_deg: Sequence[float] | np.ndarray,
    elevations_deg: Sequence[float] | np.ndarray,
    fov_deg: float,
    radius: float,
    info: ScorerInfo,
) -> np.ndarray:
    """Pictures (N,S,S,4) uint8, premultiplied, at the size that the scorer looks at."""
    cameras = [
        orbit_camera(a, e, radius, fov_deg, info.picture_size)
        for a, e in zip(azimuths_deg, elevations_deg, strict=True)
    ]
    return np.concatenate(
        [render_rgba(copy, cameras[first : first + BATCH]) for first in range(0, len(cameras), BATCH)]
    )
