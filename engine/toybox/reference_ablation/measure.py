"""One cell: an asset made under a reference, compared with the true object at twenty other cameras and on its
surface.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.core.camera import orbit_camera
from engine.errors import InputError, StudioError
from engine.loop.frames import PAPER, render_frames
from engine.loop.mesh import mesh_of
from engine.loop.messages import Finished, SceneCopy, Stepped, Unattended
from engine.loop.run import run
from engine.loop.settings import Settings
from engine.prior.toybox.pipeline_files import base_digest
from engine.prior.toybox.prior import ToyboxPrior, load_toybox
from engine.toybox.benchmark.assets import fit_views, see, true_views
from engine.toybox.benchmark.image import NO_SURFACE, compare, fit_cameras, novel_angles, pictured, referred
from engine.toybox.benchmark.metrics import chamfer, f_score
from engine.toybox.benchmark.reference_choice import CEILING, WORDS, given_picture, reference_for, shape_for
from engine.toybox.benchmark.surfaces import outside_points
from engine.toybox.benchmark.tasks import ImageTask
from engine.toybox.benchmark.workers import classifier_of_process
from engine.toybox.captions import plain_caption
from engine.toybox.objects import ToyObject
from engine.toybox.pictures import render_object
from engine.toybox.reference_ablation.cells import Cell, weights_of

SHOWN_DEG, SHOWN_ELEVATION_DEG = (80.0, 200.0), 18.0
"""Azimuths beside that of the given picture, and the elevation, of the pictures for the sheet."""
SHOWN_SIDE = 128
POINTS = 10_000
F_THRESHOLD = 0.05  # of the longest side of the true object's box, as in the paper


@dataclass(frozen=True, eq=False)
class Outcome:
    """A cell's ``numbers``, the id of its ``reference``, and ``views`` (2,128,128,3) uint8. ``error``: why it
    was not made.
    """

    key: str
    digest: str
    reference: str
    numbers: Mapping[str, float]
    views: np.ndarray
    error: str = ""


def measure_cell(cell: Cell) -> Outcome:
    """Make and judge one asset in this process; what the product refuses is told in ``error``."""
    reference = ""
    try:
        reference = reference_for(cell.row.reference, cell.task, cell.seed, cell.by)
        copy, facts = made(cell, reference)
    except StudioError as error:
        return Outcome(cell.key, cell.digest, reference, {}, blank(), str(error))
    views = render_frames(
        copy,
        [orbit_camera(a, e, copy.distance, copy.fov_deg, SHOWN_SIDE) for a, e in shown_angles(cell.task)],
    )
    return Outcome(cell.key, cell.digest, reference, {**judged(copy, cell.task), **facts}, views)


def made(cell: Cell, reference: str) -> tuple[SceneCopy, dict[str, float]]:
    """The asset, and what the run said of itself: mean gates, likeness, seconds."""
    prior = prior_of_process(cell.prior, cell.controller, cell.weights)
    if cell.row.reference == CEILING:
        cameras = fit_cameras(cell.task, prior)
        return fit_views(true_views(cell.task.object, cameras), cameras, cell.settings, prior), {}
    with tempfile.TemporaryDirectory() as folder, advised(prior) as advice:
        settings = cell_settings(cell, reference, Path(folder))
        finished, gates = None, []
        for event in run(settings.spec, settings.knobs, Unattended(), lambda _: prior):
            if isinstance(event, Stepped) and "reference_gate" in event.metrics:
                gates.append(event.metrics["reference_gate"])
            finished = event if isinstance(event, Finished) else finished
    assert finished is not None, "a run ends with it"
    numbers = {"seconds": finished.seconds["total"]}
    numbers |= {"gate": float(np.mean(gates))} if gates else {}
    return finished.copy, numbers | ({"advice": float(np.mean(advice))} if advice else {})


def cell_settings(cell: Cell, reference: str, folder: Path) -> Settings:
    """The settings with the object's picture or its caption, and its reference, whose files are written into
    ``folder``.
    """
    task, spec = cell.task, cell.settings.spec
    if cell.by == WORDS:
        spec = replace(spec, prompt=plain_caption(task.object), images="")
    else:
        spec = pictured(spec, given_picture(task), task, folder)
    return replace(
        cell.settings, spec=referred(spec, shape_for(reference, task), folder) if reference else spec
    )


@contextmanager
def advised(prior: ToyboxPrior) -> Iterator[list[float]]:
    """While the block runs, collect the mean of the meta controller's own gates each time that it is
    asked.
    """
    means: list[float] = []
    adviser = None if prior.controller is None else prior.controller.adviser
    if adviser is None:
        yield means
        return
    handle = adviser.register_forward_hook(lambda _, __, advice: means.append(float(advice.gates.mean())))
    try:
        yield means
    finally:
        handle.remove()


def judged(copy: SceneCopy, task: ImageTask) -> dict[str, float]:
    """How far the copy is from the true object in pictures and in space."""
    truth = truth_of(task)
    angles = novel_angles(task)
    return {**compare(see(copy, *angles), truth.views, classifier_of_process()), **_distances(copy, truth)}


@dataclass(frozen=True, eq=False)
class Truth:
    """The true object's ``views`` (20,64,64,4), points of its ``surface`` (N,3), and the longest ``side`` of
    its box.
    """

    views: np.ndarray
    surface: np.ndarray
    side: float


@lru_cache(maxsize=8)
def truth_of(task: ImageTask) -> Truth:
    """Drawn once in each process."""
    obj: ToyObject = task.object
    surface = outside_points(obj.mesh.vertices, obj.mesh.faces, POINTS)
    return Truth(
        render_object(obj, *novel_angles(task)).rgba, surface, float(np.ptp(obj.mesh.vertices, axis=0).max())
    )


def _distances(copy: SceneCopy, truth: Truth) -> dict[str, float]:
    """Chamfer distance (L1, both ways added) and F-score, with the true object's box scaled to a longest side
    of 1.
    """
    try:
        mesh = mesh_of(copy)
    except InputError:
        return NO_SURFACE
    points, surface = (
        outside_points(mesh.vertices, mesh.faces, POINTS) / truth.side,
        truth.surface / truth.side,
    )
    return {"chamfer": chamfer(points, surface), "f_score": f_score(points, surface, F_THRESHOLD)}


def shown_angles(task: ImageTask) -> list[tuple[float, float]]:
    """Azimuths and elevations of the sheet's pictures."""
    return [(task.azimuth_deg + turn, SHOWN_ELEVATION_DEG) for turn in SHOWN_DEG]


def true_pictures(task: ImageTask) -> np.ndarray:
    """The true object as the sheet shows it, (2,128,128,3) uint8."""
    azimuths, elevations = zip(*shown_angles(task), strict=True)
    return over_paper(render_object(task.object, azimuths, elevations, SHOWN_SIDE).rgba)


def over_paper(rgba: np.ndarray) -> np.ndarray:
    """Premultiplied pictures (...,4) in 0..1 as uint8 (...,3) over the ground of sheets."""
    rgb = rgba[..., :3] + (1 - rgba[..., 3:]) * np.array(PAPER, np.float32)
    return (rgb.clip(0, 1) * 255).round().astype(np.uint8)


def blank() -> np.ndarray:
    """Views of nothing."""
    return over_paper(np.zeros((len(SHOWN_DEG), SHOWN_SIDE, SHOWN_SIDE, 4), np.float32))


@lru_cache(maxsize=8)
def prior_of_process(folder: Path, controller: Path | None, weights: str) -> ToyboxPrior:
    """The prior with a controller, loaded once in each process.

    Raises InputError if the files are no longer those whose digest is ``weights``: rows of two priors must
    not be compared.
    """
    prior = load_toybox(folder, controller_folder=controller)
    if weights not in (base_digest(folder), weights_of(folder, controller)):
        raise InputError(
            f"The weights in {folder} have changed since the table was begun.", "Start the command again."
        )
    return prior
