"""Run in another checkout of the project: makes one object's meshes there, as that state of it makes them.

    python checkout_meshes.py TASK.npz FOLDER

with the checkout as the working directory. TASK.npz holds ``prompt``, ``seed``, ``columns`` (W,), ``changes``
(C,) NAME=VALUE of settings, true views ``rgba`` (V,S,S,4) premultiplied from ``azimuths_deg`` (V,) and
``elevations_deg`` (V,), and where to look from for the object's own pictures: ``look_deg`` (K,2), ``side``.
FOLDER gets COLUMN.glb and COLUMN.npz: ``cpu_seconds`` of the mesh, ``alpha`` (K,side,side). No GLB is written
where there is nothing solid. Modules have moved over time, so nothing of this one's own version is imported.
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

FACES = 20_000
PLACES = {
    "fit_views": ("engine.toybox.benchmark.assets", "engine.toybox.yardstick.assets"),
    "generate": ("engine.toybox.benchmark.assets", "engine.toybox.yardstick.assets"),
    "prior_of_process": ("engine.toybox.benchmark.workers", "engine.toybox.yardstick.workers"),
    "orbit_camera": ("engine.core.camera", "engine.math.camera"),
    "orbit_cameras": ("engine.core.cameras", "engine.math.cameras"),
    "write_glb": ("engine.assets.export.glb", "engine.loop.export.glb"),
    "mesh_of": ("engine.loop.mesh",),
    "render_rgba": ("engine.loop.frames",),
    "limit_threads": ("engine.loop.devices",),
    "Settings": ("engine.loop.settings",),
    "with_values": ("engine.loop.settings",),
    "RunSpec": ("engine.loop.spec",),
    "Knobs": ("engine.loop.spec",),
    "InputError": ("engine.errors",),
    "DEFAULT_PRESET": ("engine.session.presets",),
    "apply_preset": ("engine.session.presets",),
    "find_preset": ("engine.session.presets",),
}
"""The modules that have held a name, newest first."""


def part(name: str) -> Any:
    """What a name stands for in this checkout. Raises SystemExit where it has none."""
    for module in PLACES[name]:
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue
    raise SystemExit(f"This checkout has no {name} in {' or '.join(PLACES[name])}.")


def main(task_file: Path, folder: Path) -> None:
    """Make and write what the task asks for."""
    task = np.load(task_file)
    part("limit_threads")()
    settings = _settings(str(task["prompt"]), [str(change) for change in task["changes"]])
    prior = part("prior_of_process")(settings.spec.prior)
    for column in task["columns"]:
        if column == "words":
            made = part("generate")(str(task["prompt"]), int(task["seed"]), settings, prior).refined
        else:
            made = part("fit_views")(*_true_views(task, prior), settings, prior)
        _write(folder / str(column), made, task)


def _settings(prompt: str, changes: list[str]) -> Any:
    preset = part("find_preset")(part("DEFAULT_PRESET"))
    usual = part("apply_preset")(preset, part("Settings")(part("RunSpec")(prompt=prompt), part("Knobs")()))
    return part("with_values")(usual, dict(change.split("=", 1) for change in changes))


def _true_views(task: Any, prior: Any) -> tuple[Any, Any]:
    import torch

    angles = [task[name].tolist() for name in ("azimuths_deg", "elevations_deg")]
    info, rgba = prior.info, torch.from_numpy(task["rgba"])
    return rgba, part("orbit_cameras")(*angles, info.distance, info.fov_deg, rgba.shape[1])


def _write(path: Path, copy: Any, task: Any) -> None:
    """The mesh is made twice, as the first time compiles."""
    seconds = 0.0
    for _ in range(2):
        began = time.process_time()
        try:
            mesh = part("mesh_of")(copy, FACES)
        except part("InputError"):
            break
        part("write_glb")(path.with_suffix(".glb"), mesh.vertices, mesh.faces, mesh.colours)
        seconds = time.process_time() - began
    look = [
        part("orbit_camera")(azimuth, elevation, copy.distance, copy.fov_deg, int(task["side"]))
        for azimuth, elevation in task["look_deg"].tolist()
    ]
    alpha = part("render_rgba")(copy, look)[..., 3] / 255
    np.savez(path.with_suffix(".npz"), alpha=alpha, cpu_seconds=seconds)


if __name__ == "__main__":
    sys.path[0] = str(Path.cwd())
    main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute())
