"""Draw a reference for a training object: what it is, how it is distorted, and its maps from any side.

Ways to turn an object into a reference that only resembles it: self-reference augmentation (Phidias, arXiv
2409.11406, 3.4).

All of them act on the shape before it is drawn, so that every distorted reference is one that could exist.
Flipping the pixels of a canonical coordinate map alone would show a shape that contradicts its own
coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.core.camera import intrinsics, orbit_c2w
from engine.prior.toybox.info import DISTANCE, FOV_DEG, RESOLUTION
from engine.render.mesh_numba import render_mesh
from engine.toybox.objects import KINDS, ToyObject, draw_object
from engine.toybox.objects.mesh import ToyMesh

LATTICE = 4
"""Points a side of the lattice that a grid distortion moves."""

Kind = Literal["self", "retrieved", "random"]


@dataclass(frozen=True)
class Amounts:
    """How far each distortion goes at full strength, and how often it happens (the paper gives only how
    often).
    """

    resize: float = 0.35  # largest |log| of the factor of each axis
    grid: float = 0.18  # standard deviation of the lattice's displacements, in units of the object's radius
    shift_px: float = 6.0  # largest shift of a view, of 64 pixels
    resize_share: float = 0.4
    flip_share: float = 0.5
    grid_share: float = 0.1
    shift_share: float = 0.5  # of views, each drawn by itself


@dataclass(frozen=True, eq=False)
class Distortion:
    """One draw. ``factors`` (3,) of the axes, ``flip`` left and right, ``lattice`` (4,4,4,3), ``shifts_px``
    (V,2).
    """

    factors: np.ndarray
    flip: bool
    lattice: np.ndarray
    shifts_px: np.ndarray

    def shape(self, mesh: ToyMesh) -> ToyMesh:
        """The distorted mesh, no larger than the unit sphere; shifts are a matter of the views."""
        vertices = displaced(mesh.vertices.astype(np.float64), self.lattice) * self.factors
        vertices /= max(1.0, np.linalg.norm(vertices, axis=1).max())
        moved = replace(mesh, vertices=vertices.astype(np.float32))
        return mirrored(moved) if self.flip else moved


def draw_distortion(rng: np.random.Generator, views: int, strength: float, amounts: Amounts) -> Distortion:
    """Draw at ``strength`` 0..1; at 0 nothing changes, whatever happens to be drawn."""
    resized, flipped, bent = (
        rng.random() < share for share in (amounts.resize_share, amounts.flip_share, amounts.grid_share)
    )
    factors = np.exp(rng.uniform(-1, 1, 3) * amounts.resize * strength * resized)
    lattice = rng.normal(0, 1, (LATTICE, LATTICE, LATTICE, 3)) * amounts.grid * strength * bent
    shifted = rng.random((views, 1)) < amounts.shift_share
    shifts = np.round(rng.uniform(-1, 1, (views, 2)) * amounts.shift_px * strength * shifted)
    return Distortion(factors, bool(flipped and strength > 0), lattice, shifts.astype(np.int64))


def mirrored(mesh: ToyMesh) -> ToyMesh:
    """Left and right exchanged: y becomes -y, and faces keep their outside."""
    return ToyMesh(
        mesh.vertices * np.array([1, -1, 1], np.float32), mesh.faces[:, ::-1].copy(), mesh.face_colours
    )


def displaced(vertices: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """Vertices (N,3) in [-1,1] moved by the displacements at lattice points, linear between them."""
    side = len(lattice)
    place = np.clip((vertices + 1) / 2 * (side - 1), 0, side - 1)
    low = np.minimum(place.astype(int), side - 2)
    share = place - low
    moved = np.zeros_like(vertices)
    for corner in np.ndindex(2, 2, 2):
        weight = np.where(corner, share, 1 - share).prod(1)
        moved += weight[:, None] * lattice[tuple((low + corner).T)]
    return vertices + moved


def shifted(pictures: np.ndarray, shifts_px: np.ndarray) -> np.ndarray:
    """Pictures (V,S,S,C), each moved by its (right, down) in pixels; what leaves is lost, what comes in is
    empty.
    """
    out = np.zeros_like(pictures)
    side = pictures.shape[1]
    for view, (right, down) in enumerate(shifts_px.tolist()):
        rows, columns = slice(max(0, down), side + min(0, down)), slice(max(0, right), side + min(0, right))
        from_rows, from_columns = (
            slice(max(0, -down), side - max(0, down)),
            slice(max(0, -right), side - max(0, right)),
        )
        out[view, rows, columns] = pictures[view, from_rows, from_columns]
    return out


@dataclass(frozen=True)
class Mix:
    """How often each kind of reference is shown, and when.

    Early on a reference is the object itself, hardly distorted; from ``ramp_from`` of the run on distortions
    grow until ``ramp_until``, and other objects come in (curriculum). The paper knows no random references;
    they teach the gate to close.
    """

    retrieved: float = 0.25
    random: float = 0.12
    ramp_from: float = 0.1
    ramp_until: float = 0.6


def strength_at(progress: float, mix: Mix) -> float:
    """How strongly references are distorted at ``progress`` 0..1 of a run."""
    return min(1.0, max(0.0, (progress - mix.ramp_from) / (mix.ramp_until - mix.ramp_from)))


def draw_kind(rng: np.random.Generator, progress: float, mix: Mix) -> Kind:
    """Which kind of reference an object gets."""
    draw = rng.random()
    if progress < mix.ramp_from or draw >= mix.retrieved + mix.random:
        return "self"
    return "retrieved" if draw < mix.retrieved else "random"


def draw_reference(obj: ToyObject, kind: Kind, rng: np.random.Generator, seeds: tuple[int, int]) -> ToyMesh:
    """The reference's mesh: the object's own, another of the same kind, or one of another kind, with a seed
    from ``seeds``.
    """
    if kind == "self":
        return obj.mesh
    seed = int(rng.integers(*seeds))
    others = [name for name in KINDS if name != obj.kind]
    return draw_object(seed, obj.kind if kind == "retrieved" else others[int(rng.integers(len(others)))]).mesh


def distorted_maps(
    mesh: ToyMesh,
    azimuth_deg: np.ndarray,
    elevation_deg: np.ndarray,
    rng: np.random.Generator,
    strength: float,
    amounts: Amounts,
) -> np.ndarray:
    """CCM and mask (V,S,S,4) 0..1 of the mesh, distorted, from V cameras."""
    distortion = draw_distortion(rng, len(azimuth_deg), strength, amounts)
    return shifted(ccm_maps(distortion.shape(mesh), azimuth_deg, elevation_deg), distortion.shifts_px)


def ccm_maps(
    mesh: ToyMesh, azimuth_deg: np.ndarray, elevation_deg: np.ndarray, resolution: int = RESOLUTION
) -> np.ndarray:
    """CCM and mask (V,S,S,4) 0..1 of a mesh in the canonical pose, from V canonical cameras in degrees."""
    poses = np.stack(
        [orbit_c2w(float(a), float(e), DISTANCE) for a, e in zip(azimuth_deg, elevation_deg, strict=True)]
    )
    K = np.broadcast_to(intrinsics(FOV_DEG, resolution, resolution), (len(poses), 3, 3))
    buffers = render_mesh(
        mesh.vertices, mesh.faces, mesh.face_colours, poses, K, resolution, resolution, supersample=1
    )
    return np.concatenate([buffers.ccm, buffers.rgba[..., 3:]], axis=-1)
