"""What there is to export: the splats or the mesh of a result's folder, or of a splat or mesh file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from engine.assets.export import read_recipe
from engine.assets.export.splat_cloud import SplatCloud, rgb_from_sh0
from engine.assets.export.splat_files import SUFFIXES, read_splats
from engine.assets.meshes.mesh_file import is_splat_header, read_reference
from engine.errors import InputError
from engine.loop.mesh import ColouredMesh
from engine.loop.messages import SceneCopy
from engine.loop.recipe import Recipe
from engine.loop.results import FILE_OF, name_of
from engine.loop.spec import RunSpec
from engine.scene import splats

FOV_DEG, DISTANCE = 40.0, 3.05
"""Of the cameras that look at a result; objects fill the unit sphere."""


@dataclass(frozen=True, eq=False)
class Source:
    """What there is to export: a ``scene`` of splats, or a ``mesh``, or both; the recipe that made it, and
    what it is called.
    """

    scene: SceneCopy | None
    mesh: ColouredMesh | None
    recipe: str = ""
    name: str = "maquette"


def open_source(source: Path) -> Source:
    """The splats or the mesh of a result's folder, or of a file. Raises `InputError` where there is
    neither.
    """
    if source.is_dir():
        return _of_folder(source)
    if not source.is_file():
        raise InputError(f"{source} does not exist.", "Give the folder of a result, a splat file or a mesh.")
    recipe = _recipe_in(source)
    if _holds_splats(source):
        return Source(scene_of(read_splats(source)), None, recipe, _name_in(recipe))
    return Source(None, _mesh_in(source), recipe, _name_in(recipe))


def _of_folder(folder: Path) -> Source:
    """Of a field the mesh is taken, whose voxels are worse splats than it is a surface."""
    cloud, mesh = folder / FILE_OF["ply"], folder / FILE_OF["glb"]
    if not cloud.is_file() and not mesh.is_file():
        raise InputError(
            f"{folder} holds neither {cloud.name} nor {mesh.name}.", "Give the folder of a finished result."
        )
    recipe = _recipe_in(cloud if cloud.is_file() else mesh)
    scene = scene_of(read_splats(cloud)) if cloud.is_file() else None
    spec = _spec_in(recipe)
    of_field = spec is not None and spec.scene == "field"
    return Source(
        scene,
        _mesh_in(mesh) if mesh.is_file() and (of_field or scene is None) else None,
        recipe,
        _name_in(recipe),
    )


def _recipe_in(file: Path) -> str:
    try:
        return read_recipe(file)
    except InputError:
        return ""


def _name_in(recipe: str) -> str:
    spec = _spec_in(recipe)
    return "maquette" if spec is None else name_of(spec)


def _spec_in(recipe: str) -> RunSpec | None:
    """What a recipe asks for; None where it cannot be read, as one of a newer version: the shape is still to
    be had.
    """
    try:
        return Recipe.from_toml(recipe).settings.spec
    except InputError:
        return None


def _holds_splats(file: Path) -> bool:
    if file.suffix.lower() != ".ply":
        return file.suffix.lower() in SUFFIXES
    with file.open("rb") as opened:
        return is_splat_header(opened.read(1 << 16))


def scene_of(cloud: SplatCloud) -> SceneCopy:
    """A cloud as a scene that the renderers draw."""
    opacities, colours = (
        np.clip(part, 1e-4, 1 - 1e-4) for part in (cloud.opacities, rgb_from_sh0(cloud.sh0))
    )
    parts = (cloud.means, np.log(cloud.scales), cloud.quats, _logit(opacities), _logit(colours))
    scene = splats.Splats(*(torch.from_numpy(np.ascontiguousarray(part, np.float32)) for part in parts))
    return SceneCopy(0, 0, scene, "auto", FOV_DEG, DISTANCE)


def _logit(share: np.ndarray) -> np.ndarray:
    return np.log(share / (1 - share))


def _mesh_in(file: Path) -> ColouredMesh:
    """A mesh of any kind in the canonical pose, each vertex in the mean colour of its faces."""
    shape = read_reference(file)
    colours, count = np.zeros((len(shape.vertices), 3)), np.zeros(len(shape.vertices))
    for k in range(3):
        np.add.at(colours, shape.faces[:, k], shape.face_colours)
        np.add.at(count, shape.faces[:, k], 1)
    vertices, faces = np.asarray(shape.vertices, np.float64), np.asarray(shape.faces, np.int64)
    return ColouredMesh(vertices, faces, colours / np.maximum(count, 1)[:, None], shape.notes)
