"""The files of a finished run, each holding the recipe that made it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from engine.assets.export.files import atomic_path
from engine.assets.export.glb import write_glb, write_textured_glb
from engine.assets.export.placement import Placement
from engine.assets.export.ply import sh0_from_rgb, write_splat_ply
from engine.assets.export.sheet import write_sheet
from engine.assets.export.splat_cloud import AXES_COMMENT, to_file
from engine.assets.export.video import write_video
from engine.core.camera import orbit_camera
from engine.errors import IncompleteError, InputError, StorageError, StudioError, storage_errors
from engine.guidance import key_of
from engine.loop.clock import Clock
from engine.loop.devices import device_name
from engine.loop.frames import render_frames, render_rgba, strip_cameras
from engine.loop.mesh import TEXTURED_FACES, mesh_of, textured_mesh
from engine.loop.messages import Finished, SceneCopy
from engine.loop.recipe import Recipe
from engine.loop.reference.provenance import Origin, origin_in
from engine.loop.reopened import Notes, check_recipe, film_differences, mesh_differences, splat_differences
from engine.loop.shown_scene import device_of, shown
from engine.loop.spec import RunSpec
from engine.scene import splats
from engine.scene.canvas import Canvas
from engine.scene.field import Field, node_positions
from engine.scene.splats import Splats
from engine.shipped import installed_version

Writer = Callable[[Path, SceneCopy, str], Notes]
Failures = list[tuple[str, Exception]]  # the file's name, and what kept it from being written

FILE_OF = {
    "ply": "scene.ply",
    "glb": "mesh.glb",
    "texture": "mesh_textured.glb",
    "mp4": "turntable.mp4",
    "png": "views.png",
}
FORMATS = tuple(FILE_OF)
# unwrapping a textured mesh takes several seconds: it is made when asked for
USUAL_FORMATS = (
    "ply",
    "glb",
    "mp4",
    "png",
)
RESULT_FILES = ("recipe.toml", *FILE_OF.values(), "result.json")

SHEET_SIZE, TURNTABLE_SIZE = 256, 320
TURNTABLE_FRAMES, TURNTABLE_FPS, FRAMES_AT_ONCE = 72, 24, 6
LONGEST_NAME = 60
BLANK = RunSpec(prompt="maquette")
SOLID_VOXEL = 0.02  # opacity under which a voxel makes no splat


def write_results(
    finished: Finished, prior_id: str, folder: Path, formats: tuple[str, ...] = USUAL_FORMATS
) -> dict[str, Path]:
    """Write recipe.toml, the chosen files and result.json into ``folder``; returns their paths by format.

    Each file is opened again before the run counts as done; where it differs from the viewport, the summary's
    notes say so. Pictures on a canvas have no third dimension and make only the contact sheet. A file that
    cannot be written keeps none of the others back: IncompleteError names those that are there. Raises
    StorageError where there is none.
    """
    clock, copy = Clock(), finished.copy
    origin = origin_in(finished.recipe.settings.spec.reference, folder)
    recipe = with_facts(finished.recipe, prior_id, copy, origin)
    text = recipe.to_toml()
    spec = recipe.settings.spec
    writers: dict[str, Writer] = {
        "ply": _ply,
        "glb": partial(_glb, spec=spec),
        "texture": partial(_texture, spec=spec),
        "mp4": _mp4,
        "png": _png,
    }
    wanted = [name for name in formats if name == "png" or not isinstance(copy.scene, Canvas)]
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    files, notes, failed = {"recipe": folder / "recipe.toml"}, [], []
    _write_text(files["recipe"], text)
    with ThreadPoolExecutor(
        2
    ) as pool:  # the mesh beside the video: both spend their time in code that lets go of the lock
        tasks = [pool.submit(writers[name], folder / FILE_OF[name], copy, text) for name in wanted]
    for name, task in zip(wanted, tasks, strict=True):
        error = task.exception()
        if error is None:
            files[name] = folder / FILE_OF[name]
            notes += [note for note in task.result() or () if note not in notes]
        elif isinstance(error, InputError):  # a shape too thin for a mesh still has its other files
            notes.append(str(error))
        elif isinstance(
            error, Exception
        ):  # whatever keeps one file from being written, the others are still to be had
            failed.append((FILE_OF[name], error))
        else:
            raise error
    files |= _with_summary(folder / "result.json", finished, recipe, files, clock.lap(), notes, failed)
    if failed:
        raise _incomplete(failed, files)
    return files


def _with_summary(
    path: Path,
    finished: Finished,
    recipe: Recipe,
    files: Mapping[str, Path],
    seconds: float,
    notes: list[str],
    failed: Failures,
) -> dict[str, Path]:
    """Write result.json, which lists itself and the other files; what keeps it from being written joins
    ``failed``.
    """
    summary = _summary(finished, recipe, {**files, "result": path}, seconds, notes)
    try:
        _write_text(path, json.dumps(summary, indent=2) + "\n")
    except StorageError as error:
        failed.append((path.name, error))
        return {}
    return {"result": path}


def _incomplete(failed: Failures, written: Mapping[str, Path]) -> IncompleteError:
    _, first = failed[0]
    what = first.what if isinstance(first, StudioError) else f"{type(first).__name__}: {first}"
    remedy = (
        first.remedy
        if isinstance(first, StudioError)
        else "The other files are there; repeat the run for all."
    )
    error = IncompleteError(
        f"{', '.join(name for name, _ in failed)} could not be written. {what}", remedy, written
    )
    error.__cause__ = first
    return error


def with_facts(recipe: Recipe, prior_id: str, copy: SceneCopy, origin: Origin | None = None) -> Recipe:
    """The recipe with what was true when it was cooked, and where its reference comes from."""
    maquette = installed_version() or "not installed"
    facts = {
        "maquette": maquette,
        "torch": torch.__version__,
        "device": device_name(device_of(copy)),
        "prior": prior_id,
    }
    taken = {} if origin is None else {"reference": origin.sentence()}
    return replace(recipe, facts={**facts, **taken})


def _summary(
    finished: Finished, recipe: Recipe, files: dict[str, Path], export_seconds: float, notes: list[str]
) -> dict:
    spec, knobs = recipe.settings.spec, recipe.settings.knobs
    seconds = {"draft": 0.0, "fit": 0.0, "refine": 0.0, **finished.seconds}
    seconds["draft"] += seconds.pop("fit")  # a draft is an object, not its pictures
    seconds |= {"export": export_seconds, "total": finished.seconds["total"] + export_seconds}
    return {
        "prompt": spec.prompt,
        "seed": spec.seed,
        "prior": spec.prior,
        "scene": spec.scene,
        "method": key_of(knobs.guidance),
        "device": recipe.facts["device"],
        **{name: recipe.facts[name] for name in ("reference",) if name in recipe.facts},
        "steps": finished.steps,
        "stopped": finished.stopped,
        "skipped_steps": finished.skipped_steps,
        "memory": finished.memory,
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "files": {name: path.name for name, path in files.items()},
        "notes": notes,
    }


def splats_of(scene: splats.Splats | Field) -> splats.Splats:
    """The scene as splats; a field becomes one soft ball for each voxel that holds matter."""
    if isinstance(scene, splats.Splats):
        return scene
    with torch.no_grad():
        points = node_positions(scene.resolution).to(scene.raw_density.device).reshape(-1, 3)
        density, rgb = scene.query(points)
        opacity = -torch.expm1(-density * scene.voxel)
        kept = opacity > SOLID_VOXEL
        cloud = splats.from_points(points[kept], rgb[kept], scale=0.5 * scene.voxel, opacity=0.5)
        return splats.Splats(
            cloud.means,
            cloud.log_scales,
            cloud.quats,
            torch.logit(opacity[kept].clamp(max=0.99)),
            cloud.colours,
        )


def _ply(path: Path, copy: SceneCopy, recipe: str) -> Notes:
    scene = shown(copy)
    assert isinstance(scene, Splats | Field), "a canvas is pictures alone"
    cloud = splats_of(scene)
    if len(cloud) == 0:
        raise InputError("The shape has no solid part to export.", "Refine it for longer.")
    with torch.no_grad():
        parts = [
            part.float().cpu().numpy()
            for part in (cloud.means, cloud.scales, cloud.unit_quats, cloud.opacities, cloud.rgb)
        ]
    means, scales, quats, opacities, rgb = parts
    means, quats = to_file(means, quats)
    write_splat_ply(
        path, means, scales, quats, opacities, sh0_from_rgb(rgb), comments=[AXES_COMMENT], recipe=recipe
    )
    check_recipe(path, recipe)
    return splat_differences(path, replace(copy, scene=cloud, render_size=0))


def _glb(path: Path, copy: SceneCopy, recipe: str, spec: RunSpec = BLANK) -> Notes:
    mesh = mesh_of(copy, spec.mesh_faces)
    placed = _placement(spec).of(mesh.vertices)
    write_glb(
        path, placed.to_file(mesh.vertices), mesh.faces, mesh.colours, recipe=recipe, name=name_of(spec)
    )
    check_recipe(path, recipe)
    return (*mesh.notes, *mesh_differences(path, copy, placed))


def _texture(path: Path, copy: SceneCopy, recipe: str, spec: RunSpec = BLANK) -> Notes:
    mesh = mesh_of(copy, min(spec.mesh_faces, TEXTURED_FACES))
    baked, placed = textured_mesh(copy, mesh), _placement(spec).of(mesh.vertices)
    write_textured_glb(
        path, replace(baked, vertices=placed.to_file(baked.vertices)), recipe=recipe, name=name_of(spec)
    )
    check_recipe(path, recipe)
    return (*mesh.notes, *mesh_differences(path, copy, placed))


def _placement(spec: RunSpec) -> Placement:
    return Placement(spec.mesh_origin, spec.mesh_size_m)


def name_of(spec: RunSpec) -> str:
    """What an object is called in files: its words."""
    return " ".join(spec.prompt.split())[:LONGEST_NAME] or "maquette"


def _mp4(path: Path, copy: SceneCopy, recipe: str) -> Notes:
    write_video(path, _turntable(copy), fps=TURNTABLE_FPS, recipe=recipe)
    check_recipe(path, recipe)
    return film_differences(path, TURNTABLE_FRAMES)


def _turntable(copy: SceneCopy) -> Iterator[np.ndarray]:
    cameras = [
        orbit_camera(360.0 * i / TURNTABLE_FRAMES, 18.0, copy.distance, copy.fov_deg, TURNTABLE_SIZE)
        for i in range(TURNTABLE_FRAMES)
    ]
    for first in range(0, TURNTABLE_FRAMES, FRAMES_AT_ONCE):
        yield from render_frames(copy, cameras[first : first + FRAMES_AT_ONCE])


def _png(path: Path, copy: SceneCopy, recipe: str) -> Notes:
    write_sheet(path, render_rgba(copy, strip_cameras(copy, SHEET_SIZE, _sheet_views(copy))), recipe=recipe)
    check_recipe(path, recipe)
    return ()


def _sheet_views(copy: SceneCopy) -> int:
    return len(copy.scene) if isinstance(copy.scene, Canvas) else 8


def _write_text(path: Path, text: str) -> None:
    with storage_errors(path), atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")
