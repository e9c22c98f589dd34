"""The image half of the benchmark: one clean view of a held-out object to a fitted scene, compared with the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from engine.errors import InputError
from engine.loop.mesh import mesh_of
from engine.loop.messages import SceneCopy
from engine.loop.settings import Settings
from engine.loop.viewpoints import DRAFT_ELEVATIONS_DEG
from engine.math.cameras import Cameras, orbit_cameras
from engine.math.views import Views
from engine.prior.base import CleanViews, Condition, Prior, Prompts
from engine.prior.sampling import ddim, sampling_times
from engine.toybox.pictures import render_object
from engine.toybox.yardstick.assets import fit_views, see, true_views
from engine.toybox.yardstick.metrics import chamfer, f_score, mask_iou, psnr, ssim
from engine.toybox.yardstick.shapes import over_white
from engine.toybox.yardstick.surfaces import outside_points
from engine.toybox.yardstick.tasks import ImageTask

VIEWS = 8
HELD_OUT_OFFSETS_DEG, HELD_OUT_ELEVATIONS_DEG = (22.5, 112.5, 202.5, 292.5), (5.0, 30.0, 5.0, 30.0)
"""Cameras half way between those that the scene is fitted to; azimuths from that of the given picture."""
SURFACE_POINTS = 10_000
F_THRESHOLD = 0.05
"""In units of the radius of the sphere that the object just fits."""


@dataclass(frozen=True, eq=False)
class ImageResult:
    """Metrics by row: "generated" from the picture, "copy" of it as every view, "fit" to the true views."""

    task: ImageTask
    rows: Mapping[str, Mapping[str, float]]


def measure_image(task: ImageTask, settings: Settings, prior: Prior) -> ImageResult:
    """Complete the object from its one picture, and compare with the truth at four other cameras and on the surface."""
    obj, cameras = task.object, _cameras(task, prior)
    truth = true_views(obj, cameras)
    sampled = torch.cat([truth[:1], complete(truth[:1], cameras, task.index, settings, prior)])
    generated, fitted = (fit_views(views, cameras, settings, prior) for views in (sampled, truth))
    azimuths = [task.azimuth_deg + offset for offset in HELD_OUT_OFFSETS_DEG]
    seen = render_object(obj, azimuths, HELD_OUT_ELEVATIONS_DEG).rgba
    copied = np.broadcast_to(truth[:1].numpy(), seen.shape)
    surface = outside_points(obj.mesh.vertices, obj.mesh.faces, SURFACE_POINTS)
    rows = {
        "generated": {**_compare(see(generated, azimuths, HELD_OUT_ELEVATIONS_DEG), seen), **_distances(generated, surface)},
        "copy": _compare(copied, seen),
        "fit": {**_compare(see(fitted, azimuths, HELD_OUT_ELEVATIONS_DEG), seen), **_distances(fitted, surface)},
    }
    return ImageResult(task, rows)


def complete(given: torch.Tensor, cameras: Cameras, seed: int, settings: Settings, prior: Prior) -> torch.Tensor:
    """Sample the views of ``cameras`` after the first, of which the picture ``given`` (1,S,S,4) is; no words, no guidance."""
    cameras = cameras.to(prior.device)
    given = given.to(prior.device)
    x = prior.encode(Views(given[..., :3], given[..., 3:], torch.zeros_like(given[..., 3:])))
    others = cameras[1:]
    condition = Condition(prior.embed(""), others, CleanViews(x, cameras[:1]))
    noise = torch.randn((len(others), *x.shape[1:]), generator=torch.Generator().manual_seed(seed)).to(prior.device)
    times = sampling_times(prior.schedule, settings.spec.sampling_steps)
    *_, last = ddim(prior, Prompts(condition, condition), noise, times, guidance_scale=1.0)
    views = prior.decode(last)
    return torch.cat([views.rgb, views.alpha], dim=-1).cpu()


def _cameras(task: ImageTask, prior: Prior) -> Cameras:
    """The given view first, then the others evenly round the object, at the two heights of a draft in turn."""
    azimuths = [task.azimuth_deg + 360.0 * i / VIEWS for i in range(VIEWS)]
    elevations = [task.elevation_deg] + [DRAFT_ELEVATIONS_DEG[i % 2] for i in range(1, VIEWS)]
    return orbit_cameras(azimuths, elevations, prior.info.distance, prior.info.fov_deg, prior.info.resolution)


def _compare(rgba: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Means over views of PSNR and SSIM over white, and of the mask IoU."""
    pairs = list(zip(over_white(rgba), over_white(truth)))
    return {
        "psnr": float(np.mean([psnr(a, b) for a, b in pairs])),
        "ssim": float(np.mean([ssim(a, b) for a, b in pairs])),
        "mask_iou": float(mask_iou(rgba[..., 3], truth[..., 3]).mean()),
    }


def _distances(copy: SceneCopy, surface: np.ndarray) -> dict[str, float]:
    """Chamfer distance (L1, both ways added) and F-score of the exported surface; what has no surface scores as far as can be."""
    try:
        mesh = mesh_of(copy)
    except InputError:
        return {"chamfer": 2.0, "f_score": 0.0}
    points = outside_points(mesh.vertices, mesh.faces, SURFACE_POINTS)
    return {"chamfer": chamfer(points, surface), "f_score": f_score(points, surface, F_THRESHOLD)}
