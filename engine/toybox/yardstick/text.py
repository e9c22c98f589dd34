"""The text half of the benchmark: one prompt, from the product's run to verdicts, beside references made of the true object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.loop.frames import PAPER, render_frames
from engine.loop.messages import SceneCopy
from engine.loop.settings import Settings
from engine.loop.viewpoints import draft_cameras
from engine.math.camera import orbit_camera
from engine.prior.base import Prior
from engine.toybox.classifier import ToyClassifier
from engine.toybox.yardstick.assets import Asset, fit_views, generate, judged_cameras, render_rgba, true_views
from engine.toybox.yardstick.shapes import make_bank, views_of, views_of_blob
from engine.toybox.yardstick.tasks import AZIMUTHS_DEG, ELEVATION_DEG, TextTask
from engine.toybox.yardstick.verdicts import Verdict, judge

STRIP_SIZE = 128


@dataclass(frozen=True, eq=False)
class TextResult:
    """Verdicts by row of the table: "refined", "draft", and the references "fit", "true", "blob"; ``strip`` (8,S,S,3) uint8."""

    task: TextTask
    verdicts: Mapping[str, Verdict]
    seconds: Mapping[str, float]
    strip: np.ndarray


def measure_text(task: TextTask, settings: Settings, prior: Prior, classifier: ToyClassifier) -> TextResult:
    """Generate the asset of a prompt, and judge it and its references from eight azimuths."""
    asset = generate(task.prompt, task.index, settings, prior)
    bank = make_bank(task.kind, task.colours)
    verdicts = {name: judge(views, task, classifier, bank) for name, views in _rows(task, asset, settings, prior).items()}
    return TextResult(task, verdicts, asset.seconds, strip(asset.refined))


def _rows(task: TextTask, asset: Asset, settings: Settings, prior: Prior) -> dict[str, np.ndarray]:
    """The views (8,64,64,4) that are judged, by row."""
    obj, cameras = task.object, judged_cameras(prior.info)
    drafted_from = draft_cameras(prior.info, settings.spec.draft_views, prior.info.resolution)
    fitted = fit_views(true_views(obj, drafted_from), drafted_from, settings, prior)
    rows = {"refined": render_rgba(asset.refined, cameras)}
    if asset.draft is not None:
        rows["draft"] = render_rgba(asset.draft, cameras)
    return {**rows, "fit": render_rgba(fitted, cameras), "true": views_of(obj), "blob": views_of_blob(obj)}


def strip(copy: SceneCopy, size: int = STRIP_SIZE) -> np.ndarray:
    """The asset all the way round on the light ground: (8,S,S,3) uint8."""
    cameras = [orbit_camera(azimuth, ELEVATION_DEG, copy.distance, copy.fov_deg, size) for azimuth in AZIMUTHS_DEG]
    return render_frames(copy, cameras, PAPER)
