"""Is it shaped like one of its kind? A score that a blob of the right colour and size cannot pass.

For each view, the outline is compared with that of 200 true instances of the kind from the same camera, and
the best match counts. An ellipsoid with the bounding box of a true object shows what a blob would get.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from engine.core.camera import intrinsics, orbit_c2w
from engine.prior.toybox.info import DISTANCE, FOV_DEG, RESOLUTION
from engine.render.mesh_numba import render_mesh
from engine.toybox.benchmark.metrics import mask_iou, psnr
from engine.toybox.benchmark.tasks import AZIMUTHS_DEG, BANK_SEED, ELEVATIONS_DEG
from engine.toybox.objects import ToyObject, draw_object
from engine.toybox.pictures import render_object

INSTANCES = 200
BORDER_ALPHA, EMPTY_SHARE = 0.1, 0.01


@dataclass(frozen=True, eq=False)
class Bank:
    """True instances of one kind: ``rgba`` (N,8,64,64,4) float32, premultiplied, from the benchmark's
    cameras.
    """

    rgba: np.ndarray


@dataclass(frozen=True, eq=False)
class ShapeScore:
    """By view (8,): best mask IoU and best PSNR (over white) among the instances, border touched, nothing
    there.
    """

    iou: np.ndarray
    psnr: np.ndarray
    border: np.ndarray
    empty: np.ndarray


def make_bank(kind: str, colours: Mapping[str, str], instances: int = INSTANCES) -> Bank:
    """Instances of ``kind`` painted as the prompt says; none of them is an object that the benchmark asks
    for.
    """
    return Bank(np.stack([views_of(draw_object(BANK_SEED + i, kind, colours)) for i in range(instances)]))


def views_of(obj: ToyObject) -> np.ndarray:
    """An object from the benchmark's eight cameras: (8,64,64,4) premultiplied RGBA."""
    return render_object(obj, AZIMUTHS_DEG, ELEVATIONS_DEG).rgba


def views_of_blob(obj: ToyObject) -> np.ndarray:
    """The ellipsoid that fills the object's bounding box, in the mean colour of its faces: (8,64,64,4)."""
    sphere = trimesh.creation.icosphere(subdivisions=3)
    low, high = obj.mesh.vertices.min(0), obj.mesh.vertices.max(0)
    vertices = (low + high) / 2 + sphere.vertices * (high - low) / 2
    colours = np.broadcast_to(obj.mesh.face_colours.mean(0), (len(sphere.faces), 3))
    poses = np.stack([orbit_c2w(a, e, DISTANCE) for a, e in zip(AZIMUTHS_DEG, ELEVATIONS_DEG)])
    K = np.broadcast_to(intrinsics(FOV_DEG, RESOLUTION, RESOLUTION), (len(poses), 3, 3))
    return render_mesh(vertices, sphere.faces, colours, poses, K, RESOLUTION, RESOLUTION).rgba


def score_shape(rgba: np.ndarray, bank: Bank) -> ShapeScore:
    """How well views (8,64,64,4) of one asset match the best instance, view by view."""
    iou = mask_iou(rgba[None, ..., 3], bank.rgba[..., 3]).max(0)
    ground = over_white(rgba)
    best_psnr = [
        max(psnr(picture, other) for other in over_white(bank.rgba[:, v])) for v, picture in enumerate(ground)
    ]
    alpha = rgba[..., 3]
    rim = np.concatenate(
        [alpha[:, [0, -1]].reshape(len(alpha), -1), alpha[:, :, [0, -1]].reshape(len(alpha), -1)], axis=1
    )
    return ShapeScore(
        iou, np.array(best_psnr), rim.max(1) > BORDER_ALPHA, (alpha > 0.5).mean((1, 2)) < EMPTY_SHARE
    )


def over_white(rgba: np.ndarray) -> np.ndarray:
    """Premultiplied RGBA (...,4) as RGB (...,3) over white."""
    return rgba[..., :3] + 1 - rgba[..., 3:]
