"""The image half of the benchmark: the product's run from one picture of a held-out object, compared with the
truth.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from engine.assets.images.image_arguments import WHOLE, Listed
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.core.cameras import Cameras, orbit_cameras
from engine.errors import InputError
from engine.loop.mesh import mesh_of
from engine.loop.messages import SceneCopy
from engine.loop.settings import Settings
from engine.loop.spec import RunSpec
from engine.loop.viewpoints import DRAFT_ELEVATIONS_DEG
from engine.prior.base import Prior
from engine.toybox.benchmark.assets import Asset, fit_views, generate, see, true_views
from engine.toybox.benchmark.ellipsoid import Ellipsoid, painted_ellipsoid
from engine.toybox.benchmark.metrics import chamfer, f_score, gradient_distance, mask_iou, psnr, ssim
from engine.toybox.benchmark.perceptual import perceptual_distance
from engine.toybox.benchmark.reference_choice import (
    PICTURE,
    given_picture,
    reference_for,
    shape_for,
    write_stl,
)
from engine.toybox.benchmark.shapes import over_white
from engine.toybox.benchmark.surfaces import outside_points
from engine.toybox.benchmark.tasks import ImageTask
from engine.toybox.captions import plain_caption
from engine.toybox.classifier import ToyClassifier
from engine.toybox.pictures import render_object, to_bytes

FIT_VIEWS = 8
NOVEL_VIEWS = 20
NOVEL_ELEVATIONS_DEG = (0.0, 15.0, 30.0)
"""In turn, evenly round the object; none of them is the given camera."""
SURFACE_POINTS = 10_000
F_THRESHOLD = 0.05
"""In units of the radius of the sphere that the object just fits."""
NO_SURFACE = {"chamfer": 2.0, "f_score": 0.0}
"""What has no surface scores as badly as can be."""


@dataclass(frozen=True, eq=False)
class ImageResult:
    """Metrics by row, and the seconds of the run from the picture.

    "generated" is the product from the picture, "referred" the same with what the shelf has most like it as
    reference, "text" the product from the object's caption alone, "copy" the given picture as every view,
    "ellipsoid" one that fills its outline in its colours, and "fit" the fit stage given true views: the
    ceiling.
    """

    task: ImageTask
    rows: Mapping[str, Mapping[str, float]]
    seconds: Mapping[str, float]


def measure_image(
    task: ImageTask, settings: Settings, text_settings: Settings, prior: Prior, classifier: ToyClassifier
) -> ImageResult:
    """Make the object from its picture, without and with a reference, from its caption, from true views, and
    compare all.
    """
    obj = task.object
    azimuths, elevations = novel_angles(task)
    truth = render_object(obj, azimuths, elevations).rgba
    surface = outside_points(obj.mesh.vertices, obj.mesh.faces, SURFACE_POINTS)
    given = given_picture(task)
    ellipsoid = painted_ellipsoid(given, task.azimuth_deg, task.elevation_deg)
    made = from_picture(given, task, settings, prior)
    nearest = shape_for(reference_for("top-1", task, 0, PICTURE), task)
    cameras = fit_cameras(task, prior)
    copies = {
        "generated": made.refined,
        "referred": from_picture(given, task, settings, prior, nearest).refined,
        "text": generate(plain_caption(obj), task.index, text_settings, prior).refined,
        "fit": fit_views(true_views(obj, cameras), cameras, settings, prior),
    }
    rows = {
        name: {**compare(see(copy, azimuths, elevations), truth, classifier), **_distances(copy, surface)}
        for name, copy in copies.items()
    }
    rows["copy"] = compare(np.broadcast_to(given, truth.shape), truth, classifier)
    pictures = ellipsoid.pictures(azimuths, elevations)
    rows["ellipsoid"] = {**compare(pictures, truth, classifier), **_to_ellipsoid(ellipsoid, surface)}
    return ImageResult(task, rows, made.seconds)


def from_picture(
    rgba: np.ndarray,
    task: ImageTask,
    settings: Settings,
    prior: Prior,
    reference: ReferenceShape | None = None,
) -> Asset:
    """The product's run from a file with the premultiplied picture ``rgba`` (S,S,4), with its camera and
    without words.
    """
    with tempfile.TemporaryDirectory() as folder:
        spec = pictured(settings.spec, rgba, task, Path(folder))
        spec = spec if reference is None else referred(spec, reference, Path(folder))
        return generate("", task.index, replace(settings, spec=spec), prior)


def pictured(spec: RunSpec, rgba: np.ndarray, task: ImageTask, folder: Path) -> RunSpec:
    """What asks for the object of a premultiplied picture (S,S,4), which is written into ``folder``, without
    words.
    """
    path = folder / "given.png"
    save_straight(rgba, path)
    listed = str(Listed(str(path), round(task.azimuth_deg, 3)))
    return replace(spec, prompt="", images=listed, image_crops=WHOLE, image_elevation_deg=task.elevation_deg)


def referred(spec: RunSpec, shape: ReferenceShape, folder: Path) -> RunSpec:
    """The same under a reference, which is written into ``folder`` and stands as it is."""
    path = folder / "reference.stl"
    write_stl(shape, path)
    return replace(spec, reference=str(path), reference_up="z", reference_turn_deg=0.0)


def save_straight(rgba: np.ndarray, path: Path) -> None:
    """Write a premultiplied picture (H,W,4) as a PNG, whose colours are not."""
    alpha = rgba[..., 3:]
    straight = np.where(alpha > 0, rgba[..., :3] / np.maximum(alpha, 1e-6), 0)
    Image.fromarray(to_bytes(np.concatenate([straight, alpha], -1))).save(path)


def novel_angles(task: ImageTask) -> tuple[list[float], list[float]]:
    """Azimuths and elevations of the cameras that are compared."""
    step = 360 / NOVEL_VIEWS
    azimuths = [task.azimuth_deg + step * (i + 0.5) for i in range(NOVEL_VIEWS)]
    return azimuths, [NOVEL_ELEVATIONS_DEG[i % len(NOVEL_ELEVATIONS_DEG)] for i in range(NOVEL_VIEWS)]


def fit_cameras(task: ImageTask, prior: Prior) -> Cameras:
    """The given view first, then the others evenly round the object, at the two heights of a draft in
    turn.
    """
    azimuths = [task.azimuth_deg + 360.0 * i / FIT_VIEWS for i in range(FIT_VIEWS)]
    elevations = [task.elevation_deg] + [DRAFT_ELEVATIONS_DEG[i % 2] for i in range(1, FIT_VIEWS)]
    return orbit_cameras(azimuths, elevations, prior.info.distance, prior.info.fov_deg, prior.info.resolution)


def compare(rgba: np.ndarray, truth: np.ndarray, classifier: ToyClassifier) -> dict[str, float]:
    """Means over views (V,H,W,4) of PSNR, SSIM and gradient distance over white, of the perceptual distance
    and the mask IoU.
    """
    pairs = list(zip(over_white(rgba), over_white(truth)))
    return {
        "psnr": float(np.mean([psnr(a, b) for a, b in pairs])),
        "ssim": float(np.mean([ssim(a, b) for a, b in pairs])),
        "gradient_distance": float(np.mean([gradient_distance(a, b) for a, b in pairs])),
        "perceptual_distance": float(perceptual_distance(classifier, rgba, truth).mean()),
        "mask_iou": float(mask_iou(rgba[..., 3], truth[..., 3]).mean()),
    }


def _distances(copy: SceneCopy, surface: np.ndarray) -> dict[str, float]:
    """Chamfer distance (L1, both ways added) and F-score of the exported surface."""
    try:
        mesh = mesh_of(copy)
    except InputError:
        return NO_SURFACE
    return _from_surface(outside_points(mesh.vertices, mesh.faces, SURFACE_POINTS), surface)


def _to_ellipsoid(ellipsoid: Ellipsoid, surface: np.ndarray) -> dict[str, float]:
    return _from_surface(outside_points(ellipsoid.vertices, ellipsoid.faces, SURFACE_POINTS), surface)


def _from_surface(points: np.ndarray, surface: np.ndarray) -> dict[str, float]:
    return {"chamfer": chamfer(points, surface), "f_score": f_score(points, surface, F_THRESHOLD)}
