"""From a finished result, or any splat or mesh file, to any export format: read, made into what the format needs, written.

Everything is made anew from the splats (of a field or a mesh file: from the mesh), so that size, faces and axes can differ from
those of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.spatial import cKDTree

from engine.assets.export import read_recipe
from engine.assets.export.bake import Baked, bake
from engine.assets.export.camera_path import viewpoints
from engine.assets.export.formats import export_formats
from engine.assets.export.formats.base import PRINT_SIZE_M, Content, ExportFormat, ExportOptions, FilmContent, MeshContent
from engine.assets.export.splat_cloud import SplatCloud, rgb_from_sh0, sh0_from_rgb
from engine.assets.export.splat_files import SUFFIXES, read_splats
from engine.assets.export.surface import simplify
from engine.assets.meshes.mesh_file import is_splat_header, read_reference
from engine.core.camera import orbit_camera
from engine.errors import InputError, StudioError
from engine.loop.layers import render_layer
from engine.loop.mesh import ColouredMesh, mesh_of, textured_mesh
from engine.loop.messages import SceneCopy
from engine.loop.recipe import Recipe
from engine.loop.results import FILE_OF, name_of
from engine.loop.spec import RunSpec
from engine.scene import splats

FOV_DEG, DISTANCE = 40.0, 3.05
"""Of the cameras that look at a result; objects fill the unit sphere."""

OVERHEAD_BYTES = 2_000
MOST_TEXTURED_FACES = 12_000
"""Unwrapping takes time that grows faster than the number of faces."""


@dataclass(frozen=True, eq=False)
class Source:
    """What there is to export: a ``scene`` of splats, or a ``mesh``, or both; the recipe that made it, and what it is called."""

    scene: SceneCopy | None
    mesh: ColouredMesh | None
    recipe: str = ""
    name: str = "maquette"


@dataclass(frozen=True)
class Exported:
    """The file that was written, and what a person should know of it."""

    path: Path
    notes: tuple[str, ...] = ()


def export(source: Path, key: str, options: ExportOptions, path: Path) -> Exported:
    """Write the result in folder ``source``, or what a splat or mesh file holds, as format ``key`` to ``path``.

    The file has the recipe inside where the format has a place for one. Raises `InputError` for a format that does not exist or
    that this source cannot make, `MissingError` for one whose package is not here, `StorageError`.
    """
    chosen = format_named(key)
    chosen.check()
    opened = open_source(source)
    named = replace(options, recipe=opened.recipe, name=options.name if options.name != "maquette" else opened.name)
    content, notes = _MAKERS[chosen.content](opened, _settled(chosen, named))
    chosen.write(path, content, _settled(chosen, named))
    return Exported(path, (*notes, *_reopened(chosen, path, content, named)))


def _reopened(chosen: ExportFormat, path: Path, content: Content, options: ExportOptions) -> Iterator[str]:
    """What differs in the file, which is opened again. Raises `StudioError` where that fails."""
    if chosen.count is None:
        return
    try:
        found = chosen.count(path)
    except Exception as error:  # each reader raises what it likes
        raise StudioError(f"{path.name} could not be read again ({error}).", "Export it again, or in another format.") from error
    written = options.frames if isinstance(content, FilmContent) else len(_parts(content))
    if found != written:
        yield f"{path.name} holds {found:,} of the {written:,} {_PARTS[chosen.content]} that were written."


def _parts(content: MeshContent | Baked | SplatCloud) -> np.ndarray:
    return content.means if isinstance(content, SplatCloud) else content.faces


def format_named(key: str) -> ExportFormat:
    """The format of a key. Raises `InputError` where there is none."""
    formats = export_formats()
    if key not in formats:
        raise InputError(f"There is no format {key!r}.", f"Choose among: {', '.join(formats)}.")
    return formats[key]


def estimated_bytes(key: str, options: ExportOptions, count: int = 4_000) -> int:
    """About how large a file gets; ``count`` is that of the splats."""
    chosen = format_named(key)
    things = {
        "mesh": options.faces,
        "texture": min(options.faces, MOST_TEXTURED_FACES),
        "splats": count,
        "film": options.frames * options.frame_size**2,
    }
    texture = chosen.bytes_texel * options.texture_size**2
    return round(OVERHEAD_BYTES + texture + chosen.bytes_each * things[chosen.content])


def open_source(source: Path) -> Source:
    """The splats or the mesh of a result's folder, or of a file. Raises `InputError` where there is neither."""
    if source.is_dir():
        return _of_folder(source)
    if not source.is_file():
        raise InputError(f"{source} does not exist.", "Give the folder of a result, a splat file or a mesh.")
    recipe = _recipe_in(source)
    if _holds_splats(source):
        return Source(_scene_of(read_splats(source)), None, recipe, _name_in(recipe))
    return Source(None, _mesh_in(source), recipe, _name_in(recipe))


def _of_folder(folder: Path) -> Source:
    """Of a field the mesh is taken, whose voxels are worse splats than it is a surface."""
    cloud, mesh = folder / FILE_OF["ply"], folder / FILE_OF["glb"]
    if not cloud.is_file() and not mesh.is_file():
        raise InputError(f"{folder} holds neither {cloud.name} nor {mesh.name}.", "Give the folder of a finished result.")
    recipe = _recipe_in(cloud if cloud.is_file() else mesh)
    scene = _scene_of(read_splats(cloud)) if cloud.is_file() else None
    spec = _spec_in(recipe)
    of_field = spec is not None and spec.scene == "field"
    return Source(scene, _mesh_in(mesh) if mesh.is_file() and (of_field or scene is None) else None, recipe, _name_in(recipe))


def _recipe_in(file: Path) -> str:
    try:
        return read_recipe(file)
    except InputError:
        return ""


def _name_in(recipe: str) -> str:
    spec = _spec_in(recipe)
    return "maquette" if spec is None else name_of(spec)


def _spec_in(recipe: str) -> RunSpec | None:
    """What a recipe asks for; None where it cannot be read, as one of a newer version: the shape is still to be had."""
    try:
        return Recipe.from_toml(recipe).settings.spec
    except InputError:
        return None


def _holds_splats(file: Path) -> bool:
    if file.suffix.lower() != ".ply":
        return file.suffix.lower() in SUFFIXES
    with file.open("rb") as opened:
        return is_splat_header(opened.read(1 << 16))


def _scene_of(cloud: SplatCloud) -> SceneCopy:
    """A cloud as a scene that the renderers draw."""
    opacities, colours = (np.clip(part, 1e-4, 1 - 1e-4) for part in (cloud.opacities, rgb_from_sh0(cloud.sh0)))
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


def _settled(chosen: ExportFormat, options: ExportOptions) -> ExportOptions:
    """With a size that can be printed, where nobody gave one."""
    return replace(options, size_m=PRINT_SIZE_M) if chosen.print_size and not options.size_m else options


def _mesh(source: Source, options: ExportOptions) -> tuple[MeshContent, tuple[str, ...]]:
    mesh = _reduced(source, options.faces)
    placed = options.placement.of(mesh.vertices)
    return MeshContent(placed.to_file(mesh.vertices), mesh.faces, mesh.colours), mesh.notes


def _reduced(source: Source, faces: int) -> ColouredMesh:
    """The mesh with at most so many faces: carved from the splats, or simplified."""
    if source.mesh is None:
        assert source.scene is not None
        return mesh_of(source.scene, faces)
    mesh = source.mesh
    if len(mesh.faces) <= faces:
        return mesh
    vertices, kept = simplify(mesh.vertices, mesh.faces, faces)
    return replace(mesh, vertices=vertices, faces=kept, colours=mesh.colours[cKDTree(mesh.vertices).query(vertices)[1]])


def _texture(source: Source, options: ExportOptions) -> tuple[Baked, tuple[str, ...]]:
    mesh = _reduced(source, min(options.faces, MOST_TEXTURED_FACES))
    if source.mesh is None:
        baked = textured_mesh(source.scene, mesh, options.texture_size)
    else:
        detailed, nearest = source.mesh, cKDTree(source.mesh.vertices)
        baked = bake(mesh.vertices, mesh.faces, _nearest_colour(detailed, nearest), size=options.texture_size)
    placed = options.placement.of(mesh.vertices)
    return replace(baked, vertices=placed.to_file(baked.vertices)), mesh.notes


def _nearest_colour(mesh: ColouredMesh, nearest: cKDTree) -> Callable[[np.ndarray], np.ndarray]:
    return lambda points: mesh.colours[nearest.query(points)[1]]


def _cloud(source: Source, options: ExportOptions) -> tuple[SplatCloud, tuple[str, ...]]:
    """Splats, placed by the box of those that can be seen."""
    if source.scene is None:
        raise InputError("A mesh has no splats.", "Choose a mesh format, or the folder of a result.")
    scene = source.scene.scene
    parts = (scene.means, scene.scales, scene.unit_quats, scene.opacities, scene.rgb)
    means, scales, quats, opacities, rgb = (part.detach().float().cpu().numpy() for part in parts)
    visible = opacities > 0.1
    placed = options.placement.of(means[visible] if visible.any() else means)
    means, scales = placed.to_file(means).astype(np.float32), (placed.scale * scales).astype(np.float32)
    return SplatCloud(means, scales, quats, opacities, sh0_from_rgb(rgb)), ()


def _film(source: Source, options: ExportOptions) -> tuple[FilmContent, tuple[str, ...]]:
    if source.scene is None:
        raise InputError("A film is drawn of splats, and this file has none.", "Choose the folder of a result.")
    return FilmContent(_frames(source.scene, options)), ()


def _frames(scene: SceneCopy, options: ExportOptions) -> Iterator[np.ndarray]:
    for view in viewpoints(options.path, options.frames, scene.distance):
        camera = orbit_camera(view.azimuth_deg, view.elevation_deg, view.distance, scene.fov_deg, options.frame_size)
        yield render_layer(scene, [camera], options.layer)[0]


_PARTS = {"mesh": "faces", "texture": "faces", "splats": "splats", "film": "pictures"}
_MAKERS: dict[str, Callable[[Source, ExportOptions], tuple[Content, tuple[str, ...]]]] = {
    "mesh": _mesh,
    "texture": _texture,
    "splats": _cloud,
    "film": _film,
}
