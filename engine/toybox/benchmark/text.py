"""The text half of the benchmark: one prompt, from the product's run to verdicts, beside references made of
the true object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.loop.frames import azimuth_strip
from engine.loop.messages import SceneCopy
from engine.loop.settings import Settings
from engine.loop.viewpoints import draft_cameras
from engine.prior.base import Prior
from engine.toybox.benchmark.assets import Asset, fit_views, generate, see, true_views
from engine.toybox.benchmark.geometry import mesh_metrics, truth_of
from engine.toybox.benchmark.shapes import make_bank, views_of, views_of_blob
from engine.toybox.benchmark.tasks import AZIMUTHS_DEG, ELEVATIONS_DEG, TextTask
from engine.toybox.benchmark.verdicts import Verdict, judge
from engine.toybox.classifier import ToyClassifier
from engine.toybox.objects import ToyObject

STRIP_SIZE = 128


@dataclass(frozen=True, eq=False)
class TextResult:
    """Verdicts by row of the table: "refined", "draft", and the references "fit", "true", "blob"; ``strip``
    (8,S,S,3) uint8.

    ``meshes`` are metrics of the exported mesh, of "refined" and "fit".
    """

    task: TextTask
    verdicts: Mapping[str, Verdict]
    seconds: Mapping[str, float]
    strip: np.ndarray
    meshes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def measure_text(task: TextTask, settings: Settings, prior: Prior, classifier: ToyClassifier) -> TextResult:
    """Generate the asset of a prompt, and judge it and its references from eight azimuths."""
    asset = generate(task.prompt, task.index, settings, prior)
    obj, bank, truth = task.object, make_bank(task.kind, task.colours), truth_of(task.object)
    drafted_from = draft_cameras(prior.info, settings.spec.draft_views, prior.info.resolution)
    fitted = fit_views(true_views(obj, drafted_from), drafted_from, settings, prior)
    verdicts = {
        name: judge(views, task, classifier, bank) for name, views in _rows(obj, asset, fitted).items()
    }
    meshes = {"refined": mesh_metrics(asset.refined, truth, known=False), "fit": mesh_metrics(fitted, truth)}
    return TextResult(task, verdicts, asset.seconds, azimuth_strip(asset.refined, STRIP_SIZE), meshes)


def _rows(obj: ToyObject, asset: Asset, fitted: SceneCopy) -> dict[str, np.ndarray]:
    """The views (8,64,64,4) that are judged, by row."""
    copies = {
        "refined": asset.refined,
        "fit": fitted,
        **({} if asset.draft is None else {"draft": asset.draft}),
    }
    rows = {name: see(copy, AZIMUTHS_DEG, ELEVATIONS_DEG) for name, copy in copies.items()}
    return {**rows, "true": views_of(obj), "blob": views_of_blob(obj)}
