"""Meshes of another checkout of the project, judged by this one: the same objects, true views and judge."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from engine.errors import InputError, RunError
from engine.loop.settings import Settings
from engine.loop.viewpoints import draft_cameras
from engine.prior.base import PriorInfo
from engine.toybox.benchmark import checkout_meshes
from engine.toybox.benchmark.assets import true_views
from engine.toybox.benchmark.geometry import NO_MESH, GeometryResult, Truth, file_metrics, truth_of
from engine.toybox.benchmark.lit import SIDE, VIEWS_DEG
from engine.toybox.benchmark.tasks import TextTask


def check_checkout(folder: Path) -> Path:
    """The folder, if it is a checkout. Raises InputError."""
    if not (folder / "engine" / "loop" / "mesh.py").is_file():
        raise InputError(
            f"--beside-checkout {folder} is no checkout of Maquette: it has no engine/loop/mesh.py.",
            "Name its root folder, for example of: git worktree add FOLDER COMMIT.",
        )
    return folder.absolute()


def measure_checkout(
    checkout: Path,
    task: TextTask,
    settings: Settings,
    info: PriorInfo,
    changes: Sequence[str],
    columns: Sequence[str],
) -> GeometryResult:
    """An object made in ``checkout`` with its own settings, and NAME=VALUE ``changes`` of them.

    True views are drawn here, of this checkout's object, by its draft cameras. Raises RunError where the
    other fails.
    """
    cameras = draft_cameras(info, settings.spec.draft_views, info.resolution)
    truth = truth_of(task.object)
    with TemporaryDirectory(ignore_cleanup_errors=True) as made:
        folder = Path(made)
        np.savez(
            folder / "task.npz",
            prompt=task.prompt,
            seed=task.index,
            columns=np.array(columns),
            changes=np.array(changes, dtype=np.str_),
            rgba=true_views(task.object, cameras).numpy(),
            azimuths_deg=cameras.azimuths_deg().double().numpy().round(3),
            elevations_deg=cameras.elevations_deg().double().numpy().round(3),
            look_deg=np.array(VIEWS_DEG),
            side=SIDE,
        )
        _make(checkout, folder)
        return GeometryResult(task, {name: _judged(folder / name, truth, name == "fit") for name in columns})


def _make(checkout: Path, folder: Path) -> None:
    command = [sys.executable, checkout_meshes.__file__, str(folder / "task.npz"), str(folder)]
    finished = subprocess.run(command, cwd=checkout, capture_output=True, encoding="utf-8")
    if finished.returncode:
        complaint = (finished.stderr.strip().splitlines() or ["It said nothing."])[-1]
        raise RunError(
            f"The checkout {checkout} could not make its meshes. {complaint}", "Try a later state of it."
        )


def _judged(path: Path, truth: Truth, known: bool) -> Mapping[str, float]:
    if not path.with_suffix(".glb").is_file():
        return NO_MESH
    beside = np.load(path.with_suffix(".npz"))
    rows = file_metrics(path.with_suffix(".glb"), truth, known, alpha=beside["alpha"])
    return {**rows, "cpu_seconds": float(beside["cpu_seconds"])}
