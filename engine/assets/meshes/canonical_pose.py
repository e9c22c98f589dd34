"""Which way is up in a model, and its turn into the canonical pose.

Formats have conventions (glTF: +y; OBJ: usually +y; STL: usually +z), and some say nothing. Where they are
not binding, each axis that could be up is judged by how the object would stand: on a broad foot, with its
weight low, and mirrored left and right rather than top and bottom. What faces the viewer cannot be told from
a shape; conventions decide, and the artist can turn it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from engine.assets.meshes.mesh_shape import RawMesh, canonical, triangle_areas
from engine.errors import InputError

Tip = Literal["auto", "z", "y", "-y", "x", "-x", "-z"]

FRONTS: dict[str, tuple[int, int]] = {
    "z": (1, -1),
    "y": (2, 1),
    "-y": (2, -1),
    "x": (1, -1),
    "-x": (1, -1),
    "-z": (1, -1),
}
"""Where things face in files with that axis up: number and sign of an axis (+y up: +z as in glTF; +z up: -y
as in Blender).
"""

CONVENTION_WEIGHT = 1.5
"""What a usual, but not binding, convention counts for, in natural log odds."""

SPLAT_WEIGHT = 2.5
"""The same for splats: COLMAP's cameras, and so nearly all 3DGS files, have +y down. Upright 23 of 24 toybox
kinds then.
"""

WEIGHTS = {"foot": 6.0, "weight": 1.7, "mirror": 3.6}
"""What the ways of standing count for: fitted to 96 procedural objects against the same on their faces and
backs.

On 96 others the right axis of the two wins in 88 % of cases. Rockets, birds, fish and aeroplanes fail most:
they do not stand.
"""

_SAMPLES, _SLAB = 1500, 0.03


@dataclass(frozen=True)
class Orientation:
    """What the artist corrects: ``tip``, the file's axis that points up, and ``turn_deg`` about that axis,
    counter-clockwise.
    """

    tip: Tip = "auto"
    turn_deg: float = 0.0

    def __post_init__(self) -> None:
        if self.tip not in get_args(Tip):
            raise InputError(
                f"The up axis {self.tip!r} is unknown.", f"Choose one of {', '.join(get_args(Tip))}."
            )
        if not np.isfinite(self.turn_deg):
            raise InputError(f"The turn is {self.turn_deg} degrees.", "Give a number of degrees, such as 90.")


AUTO = Orientation()
"""Nothing corrected."""


def oriented(mesh: RawMesh, orientation: Orientation = AUTO) -> tuple[np.ndarray, str, float]:
    """Vertices (N,3) in the canonical pose, the file's axis that is up now, and the confidence 0.5..1 in
    it.
    """
    up, confidence = (orientation.tip, 1.0) if orientation.tip != "auto" else find_up(mesh)
    front = (0, 1) if mesh.front_is_x and up == "z" else FRONTS[up]
    turned = mesh.vertices @ frame(up, front).T @ about_z(orientation.turn_deg).T
    return canonical(turned), up, confidence


def find_up(mesh: RawMesh) -> tuple[str, float]:
    """The axis that is most likely up, and the confidence in it, among those that are plausible for the
    file.
    """
    if mesh.sure:
        return mesh.up, 1.0
    candidates = ("z", "y", "-y") if mesh.splats else ("z", "y")
    weight = SPLAT_WEIGHT if mesh.splats else CONVENTION_WEIGHT
    vertices = canonical(mesh.vertices)
    points = samples(vertices, mesh.faces)
    odds = np.array([standing(vertices, points, axis) + weight * (axis == mesh.up) for axis in candidates])
    shares = np.exp(odds - odds.max())
    best = int(shares.argmax())
    return candidates[best], float(max(0.5, shares[best] / shares.sum()))


def standing(vertices: np.ndarray, points: np.ndarray, up: str) -> float:
    """How well an object would stand with that axis up, in log odds; only differences mean something."""
    return float(sum(WEIGHTS[name] * value for name, value in ways_of_standing(vertices, points, up).items()))


def ways_of_standing(vertices: np.ndarray, points: np.ndarray, up: str) -> dict[str, float]:
    """Of vertices (V,3) and even points on the surface (N,3), with that axis up.

    ``foot``: area of what would touch the ground, as a share of the outline from above; ``weight``: how low
    the middle lies; ``mirror``: how much better it is mirrored left and right than top and bottom.
    """
    number, sign = _axis(up)
    across = [k for k in range(3) if k != number]
    height = sign * vertices[:, number]
    low, size = height.min(), max(float(np.ptp(height)), 1e-9)
    foot = _hull_area(vertices[height < low + _SLAB * size][:, across]) / max(
        _hull_area(vertices[:, across]), 1e-9
    )
    middle = ((sign * points[:, number]).mean() - low) / size
    mirrored = [_mirror_error(points, k) for k in range(3)]
    return {
        "foot": foot,
        "weight": 0.5 - middle,
        "mirror": mirrored[number] - min(mirrored[k] for k in across),
    }


def samples(vertices: np.ndarray, faces: np.ndarray, count: int = _SAMPLES) -> np.ndarray:
    """Points (count,3) spread evenly over the surface; always the same ones."""
    rng = np.random.default_rng(0)
    areas = triangle_areas(vertices, faces)
    picked = faces[rng.choice(len(faces), count, p=areas / areas.sum())]
    u, v = np.sort(rng.random((2, count)), axis=0)
    a, b, c = (vertices[picked[:, k]] for k in range(3))
    return u[:, None] * a + (v - u)[:, None] * b + (1 - v)[:, None] * c


def frame(up: str, front: tuple[int, int]) -> np.ndarray:
    """The rotation (3,3) that brings the axis ``up`` to +z and ``front`` to +x."""
    number, sign = _axis(up)
    z, x = sign * np.eye(3)[number], front[1] * np.eye(3)[front[0]]
    return np.stack([x, np.cross(z, x), z])


def about_z(degrees: float) -> np.ndarray:
    """The rotation (3,3) about +z, counter-clockwise seen from above."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _axis(name: str) -> tuple[int, int]:
    return "xyz".index(name[-1]), -1 if name.startswith("-") else 1


def _mirror_error(points: np.ndarray, number: int) -> float:
    """Mean distance from the mirrored points to the nearest of the others."""
    sign = np.ones(3)
    sign[number] = -1
    from scipy.spatial import KDTree  # slow to import

    return float(KDTree(points).query(points * sign)[0].mean())


def _hull_area(flat: np.ndarray) -> float:
    from scipy.spatial import ConvexHull, QhullError

    try:
        return float(ConvexHull(flat).volume) if len(flat) > 3 else 0.0
    except QhullError:  # all on one line
        return 0.0
