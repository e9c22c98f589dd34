"""Draw a reference for a training object: what it is, how it is distorted, and its maps from any side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.core.camera import intrinsics, orbit_c2w
from engine.prior.toybox.geometry import DISTANCE, FOV_DEG, RESOLUTION
from engine.render.mesh_numba import render_mesh
from engine.toybox.objects import KINDS, ToyObject, draw_object
from engine.toybox.objects.mesh import ToyMesh
from engine.toybox.references.distortion import Amounts, draw_distortion, shifted

Kind = Literal["self", "retrieved", "random"]


@dataclass(frozen=True)
class Mix:
    """How often each kind of reference is shown, and when.

    Early on a reference is the object itself, hardly distorted; from ``ramp_from`` of the run on distortions grow until
    ``ramp_until``, and other objects come in (curriculum). The paper knows no random references; they teach the gate to close.
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
    """The reference's mesh: the object's own, another of the same kind, or one of another kind, with a seed from ``seeds``."""
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


def ccm_maps(mesh: ToyMesh, azimuth_deg: np.ndarray, elevation_deg: np.ndarray, resolution: int = RESOLUTION) -> np.ndarray:
    """CCM and mask (V,S,S,4) 0..1 of a mesh in the canonical pose, from V canonical cameras in degrees."""
    poses = np.stack([orbit_c2w(float(a), float(e), DISTANCE) for a, e in zip(azimuth_deg, elevation_deg, strict=True)])
    K = np.broadcast_to(intrinsics(FOV_DEG, resolution, resolution), (len(poses), 3, 3))
    buffers = render_mesh(mesh.vertices, mesh.faces, mesh.face_colours, poses, K, resolution, resolution, supersample=1)
    return np.concatenate([buffers.ccm, buffers.rgba[..., 3:]], axis=-1)
