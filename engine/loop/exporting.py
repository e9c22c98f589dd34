"""From a finished result, or any splat or mesh file, to any export format: read, made into what the format
needs, written.

Everything is made anew from the splats (of a field or a mesh file: from the mesh), so that size, faces and
axes can differ from those of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from engine.assets.export.bake import bake
from engine.assets.export.camera_path import viewpoints
from engine.assets.export.formats import export_formats
from engine.assets.export.formats.base import (
    PRINT_SIZE_M,
    ExportFormat,
    ExportOptions,
    FilmContent,
    MeshContent,
)
from engine.assets.export.splat_cloud import SplatCloud, sh0_from_rgb
from engine.assets.export.surface import simplify
from engine.core.camera import orbit_camera
from engine.errors import InputError
from engine.loop.export_differences import Made, reopened
from engine.loop.export_source import Source, open_source
from engine.loop.layers import render_layer
from engine.loop.mesh import ColouredMesh, mesh_of, textured_mesh
from engine.loop.messages import SceneCopy
from engine.loop.trimming import trimmed
from engine.scene.splats import Splats

OVERHEAD_BYTES = 2_000
MOST_TEXTURED_FACES = 12_000
"""Unwrapping takes time that grows faster than the number of faces."""


@dataclass(frozen=True, eq=False)
class Exported:
    """The file that was written, what a person should know of it, and its ``picture`` (H,2H,3) uint8: the
    viewport, and what was read from the file again; None of kinds that nothing here draws.
    """

    path: Path
    notes: tuple[str, ...] = ()
    picture: np.ndarray | None = None


def export(source: Path, key: str, options: ExportOptions, path: Path) -> Exported:
    """Write the result in folder ``source``, or what a splat or mesh file holds, as format ``key`` to
    ``path``.

    The file has the recipe inside where the format has a place for one. Raises `InputError` for a format that
    does not exist or that this source cannot make, `MissingError` for one whose package is not here,
    `StorageError`.
    """
    chosen = format_named(key)
    chosen.check()
    opened, trim_notes = trimmed(open_source(source), options.trim)
    named = replace(
        options, recipe=opened.recipe, name=options.name if options.name != "maquette" else opened.name
    )
    settled = _settled(chosen, named)
    made = _MAKERS[chosen.content](opened, settled)
    chosen.write(path, made.content, settled)
    differences = reopened(chosen, path, made, settled, opened)
    return Exported(path, (*trim_notes, *made.notes, *differences.notes), differences.picture)


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


def _settled(chosen: ExportFormat, options: ExportOptions) -> ExportOptions:
    """With a size that can be printed, where nobody gave one."""
    return replace(options, size_m=PRINT_SIZE_M) if chosen.print_size and not options.size_m else options


def _mesh(source: Source, options: ExportOptions) -> Made:
    mesh = reduced_mesh(source, options.faces)
    placed = options.placement.of(mesh.vertices)
    return Made(MeshContent(placed.to_file(mesh.vertices), mesh.faces, mesh.colours), mesh.notes, placed)


def reduced_mesh(source: Source, faces: int) -> ColouredMesh:
    """The mesh with at most so many faces: carved from the splats, or simplified."""
    if source.mesh is None:
        assert source.scene is not None
        return mesh_of(source.scene, faces)
    mesh = source.mesh
    if len(mesh.faces) <= faces:
        return mesh
    vertices, kept = simplify(mesh.vertices, mesh.faces, faces)
    return replace(
        mesh, vertices=vertices, faces=kept, colours=mesh.colours[KDTree(mesh.vertices).query(vertices)[1]]
    )


def _texture(source: Source, options: ExportOptions) -> Made:
    mesh = reduced_mesh(source, min(options.faces, MOST_TEXTURED_FACES))
    if source.mesh is None:
        assert source.scene is not None, "a source has a mesh or a scene"
        baked = textured_mesh(source.scene, mesh, options.texture_size)
    else:
        detailed, nearest = source.mesh, KDTree(source.mesh.vertices)
        baked = bake(mesh.vertices, mesh.faces, _nearest_colour(detailed, nearest), size=options.texture_size)
    placed = options.placement.of(mesh.vertices)
    return Made(replace(baked, vertices=placed.to_file(baked.vertices)), mesh.notes, placed)


def _nearest_colour(mesh: ColouredMesh, nearest: KDTree) -> Callable[[np.ndarray], np.ndarray]:
    return lambda points: mesh.colours[nearest.query(points)[1]]


def _cloud(source: Source, options: ExportOptions) -> Made:
    """Splats, placed by the box of those that can be seen."""
    if source.scene is None:
        raise InputError("A mesh has no splats.", "Choose a mesh format, or the folder of a result.")
    scene = source.scene.scene
    assert isinstance(scene, Splats), "other scenes become meshes"
    parts = (scene.means, scene.scales, scene.unit_quats, scene.opacities, scene.rgb)
    means, scales, quats, opacities, rgb = (part.detach().float().cpu().numpy() for part in parts)
    visible = opacities > 0.1
    placed = options.placement.of(means[visible] if visible.any() else means)
    means, scales = placed.to_file(means).astype(np.float32), (placed.scale * scales).astype(np.float32)
    return Made(SplatCloud(means, scales, quats, opacities, sh0_from_rgb(rgb)), (), placed)


def _film(source: Source, options: ExportOptions) -> Made:
    if source.scene is None:
        raise InputError(
            "A film is drawn of splats, and this file has none.", "Choose the folder of a result."
        )
    return Made(FilmContent(_frames(source.scene, options)))


def _frames(scene: SceneCopy, options: ExportOptions) -> Iterator[np.ndarray]:
    for view in viewpoints(options.path, options.frames, scene.distance):
        camera = orbit_camera(
            view.azimuth_deg, view.elevation_deg, view.distance, scene.fov_deg, options.frame_size
        )
        yield before(render_layer(scene, [camera], options.layer, options.lamp)[0], options.ground)


def before(picture: np.ndarray, background: str) -> np.ndarray:
    """A premultiplied RGBA picture (H,W,4) uint8 over a colour such as "#ffffff"; as it is over ""."""
    if not background:
        return picture
    ground = np.array([*bytes.fromhex(background[1:]), 255], np.uint16)
    return (
        (picture + (ground * (255 - picture[..., 3:].astype(np.uint16)) + 127) // 255)
        .clip(0, 255)
        .astype(np.uint8)
    )


_MAKERS: dict[str, Callable[[Source, ExportOptions], Made]] = {
    "mesh": _mesh,
    "texture": _texture,
    "splats": _cloud,
    "film": _film,
}
