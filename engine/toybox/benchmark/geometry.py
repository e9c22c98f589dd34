"""The geometry half of the benchmark: the mesh as it is exported, read back from its file, beside the true
mesh.

"words" is the product's run from the object's caption: of it only what the caption says is known, so it is
compared with its own pictures and the topology of the true object. "fit" is the fit stage given the true
draft views, and compared in full.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from scipy.spatial import KDTree

from engine.assets.export.glb import world_from_gltf, write_glb
from engine.core.camera import Camera, orbit_camera
from engine.core.cameras import cameras_from
from engine.errors import InputError
from engine.loop.frames import render_rgba
from engine.loop.mesh import mesh_of
from engine.loop.messages import SceneCopy
from engine.loop.settings import Settings
from engine.loop.shown_scene import shown
from engine.loop.viewpoints import draft_cameras
from engine.prior.base import Prior
from engine.prior.toybox.info import DISTANCE, FOV_DEG
from engine.render.splats_surface import surface_depths
from engine.scene.splats import Splats
from engine.toybox.benchmark.assets import fit_views, generate, true_views
from engine.toybox.benchmark.lit import (
    SIDE,
    VIEWS_DEG,
    LitViews,
    lit_views,
    surviving_holes,
)
from engine.toybox.benchmark.metrics import mask_iou, psnr, ssim
from engine.toybox.benchmark.solids import topology, true_topology
from engine.toybox.benchmark.surfaces import SurfacePoints, visible_points
from engine.toybox.benchmark.tasks import TextTask
from engine.toybox.objects import ToyObject

FACES = 20_000
"""Faces that are asked for."""

TRUTH_POINTS = 60_000
NO_MESH = {"missing": 1.0, "genus_right": 0.0}
"""Of an object of which there is none."""

FAR = 0.05
"""Depth that is wrong by more than this is counted: a fortieth of the sphere in which an object fits."""


@dataclass(frozen=True, eq=False)
class Truth:
    """A true object: its lit views, points that can be seen of it with their normals, and its topology."""

    views: LitViews
    points: np.ndarray
    normals: np.ndarray
    genus: int
    bodies: int


@dataclass(frozen=True, eq=False)
class GeometryResult:
    """Metrics of one object by row."""

    task: TextTask
    rows: Mapping[str, Mapping[str, float]]


def measure_geometry(
    task: TextTask, settings: Settings, prior: Prior, columns: Sequence[str] = ("words", "fit")
) -> GeometryResult:
    """Make the object of a task from its words and from its true views, and measure both meshes."""
    obj, rows = task.object, {}
    truth = truth_of(obj)
    if "words" in columns:
        rows["words"] = mesh_metrics(
            generate(task.prompt, task.index, settings, prior).refined, truth, known=False
        )
    if "fit" in columns:
        cameras = draft_cameras(prior.info, settings.spec.draft_views, prior.info.resolution)
        rows["fit"] = mesh_metrics(fit_views(true_views(obj, cameras), cameras, settings, prior), truth)
    return GeometryResult(task, rows)


def truth_of(obj: ToyObject) -> Truth:
    """What a mesh is compared with; of a true object every face has its own normal."""
    vertices, faces = np.asarray(obj.mesh.vertices, np.float64), obj.mesh.faces
    flat = np.repeat(trimesh.Trimesh(vertices, faces, process=False).face_normals[:, None], 3, axis=1)
    points, _ = visible_points(vertices, faces, TRUTH_POINTS)
    counted = true_topology(vertices, faces)
    return Truth(
        lit_views(vertices, faces, flat), points.points, flat[points.face, 0], counted.genus, counted.bodies
    )


def mesh_metrics(copy: SceneCopy, truth: Truth, known: bool = True) -> dict[str, float]:
    """Of a scene's exported mesh; beside the true shape where it is ``known``. A scene without one fails in
    all that it can.
    """
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mesh.glb"
        try:
            mesh = mesh_of(copy, FACES)
        except InputError:
            return dict(NO_MESH)
        write_glb(path, mesh.vertices, mesh.faces, mesh.colours)
        seconds = time.process_time() - began
        cameras = [
            orbit_camera(azimuth, elevation, DISTANCE, FOV_DEG, SIDE) for azimuth, elevation in VIEWS_DEG
        ]
        alpha = render_rgba(copy, cameras)[..., 3] / 255
        return {**file_metrics(path, truth, known, alpha, _own_depth(copy, cameras)), "cpu_seconds": seconds}


def file_metrics(
    path: Path, truth: Truth, known: bool, alpha: np.ndarray, depth: np.ndarray | None = None
) -> dict[str, float]:
    """Of a mesh in a GLB, beside the truth where it is ``known``, and beside what its own scene shows from
    `VIEWS_DEG`: ``alpha`` (V,S,S), and of splats the ``depth`` (V,S,S) of their surface.
    """
    vertices, faces, normals = read_mesh(path)
    counted, (visible, hidden) = topology(vertices, faces), visible_points(vertices, faces)
    views = lit_views(vertices, faces, normals[faces])
    return {
        "missing": 0.0,
        "faces": float(len(faces)),
        "faces_off": abs(len(faces) / FACES - 1),
        "genus": float(counted.genus),
        "genus_true": float(truth.genus),
        "genus_right": float(counted.genus == truth.genus),
        "bodies": float(counted.bodies),
        "bodies_true": float(truth.bodies),
        "non_manifold_edges": float(counted.non_manifold_edges),
        "hidden": hidden,
        "picture_iou": float(mask_iou(views.alpha, alpha).mean()),
        **_beside_depth(views, alpha, depth),
        **(_beside_truth(views, truth, visible, faces, normals) if known else {}),
    }


def read_mesh(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (N,3), faces (F,3) and vertex normals (N,3) of a GLB in our axes, as trimesh reads it."""
    (read,) = trimesh.load_scene(path, process=False).geometry.values()
    vertices, normals = (
        world_from_gltf(np.asarray(part, np.float64)) for part in (read.vertices, read.vertex_normals)
    )
    return vertices, np.asarray(read.faces, np.int64), normals


def _own_depth(copy: SceneCopy, cameras: Sequence[Camera]) -> np.ndarray | None:
    """Of the surface of splats; None of fields."""
    if not isinstance(copy.scene, Splats):
        return None
    batch = cameras_from(cameras)
    cloud = shown(copy, DISTANCE / float(batch.K[0, 1, 1]))
    assert isinstance(cloud, Splats), "fields were returned above"
    return surface_depths(cloud, batch)[0]


def _beside_depth(views: LitViews, alpha: np.ndarray, depth: np.ndarray | None) -> dict[str, float]:
    if depth is None:
        return {}
    both = (views.alpha > 0.99) & (alpha > 0.95) & (depth > 0)
    far = float((np.abs(views.depth - depth)[both] > 2 * FAR).mean()) if both.any() else 1.0
    return {"picture_depth_far": far}


def _beside_truth(
    views: LitViews, truth: Truth, visible: SurfacePoints, faces: np.ndarray, normals: np.ndarray
) -> dict[str, float]:
    pairs = list(zip(views.rgb, truth.views.rgb, strict=True))
    both = (views.alpha > 0.99) & (truth.views.alpha > 0.99)
    error = np.abs(views.depth - truth.views.depth)[both]
    kept, holes = surviving_holes(views.alpha, truth.views.alpha)
    angles = normal_angles_deg(visible, faces, normals, truth)
    return {
        "normal_median_deg": float(np.median(angles)),
        "normal_p95_deg": float(np.percentile(angles, 95)),
        "lit_psnr": float(np.mean([psnr(a, b) for a, b in pairs])),
        "lit_ssim": float(np.mean([ssim(a, b) for a, b in pairs])),
        "depth_median": float(np.median(error)),
        "depth_far": float((error > FAR).mean()),
        "mask_iou": float(mask_iou(views.alpha, truth.views.alpha).mean()),
        "holes_kept": float(kept),
        "holes_true": float(holes),
    }


def normal_angles_deg(
    points: SurfacePoints, faces: np.ndarray, normals: np.ndarray, truth: Truth
) -> np.ndarray:
    """Degrees (N,) between the mesh's shaded normal at each point and that of the nearest true point."""
    own = (normals[faces[points.face]] * points.weights[..., None]).sum(1)
    own /= np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12)
    nearest = KDTree(truth.points).query(points.points)[1]
    return np.degrees(np.arccos(np.clip((own * truth.normals[nearest]).sum(1), -1, 1)))
