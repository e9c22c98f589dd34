"""An exported file, opened again by another reader and drawn beside the viewport: what differs, and both as
one picture.

What is read is laid over what was written by the box round it; that sizes and axes are right is held by tests
with the readers of other programs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
from PIL import Image

from engine.assets.export.bake import Baked
from engine.assets.export.formats.base import Content, ExportFormat, ExportOptions, FilmContent, MeshContent
from engine.assets.export.formats.counting import locale_kept, usd_modules
from engine.assets.export.glb import srgb_from_linear
from engine.assets.export.placement import Similarity
from engine.assets.export.sheet import over_paper
from engine.assets.export.splat_cloud import SplatCloud
from engine.core.camera import Camera, orbit_camera
from engine.errors import StudioError
from engine.loop.export_source import DISTANCE, FOV_DEG, Source
from engine.loop.frames import render_rgba
from engine.loop.mesh import ColouredMesh
from engine.loop.reopened import UNLIT, gaps
from engine.render.mesh_numba import render_mesh

SIDE = 224
LOOK = (35.0, 18.0)
"""Azimuth and elevation of the picture, in degrees."""

SIDES_DEG = (35.0, 125.0, 215.0, 305.0)
PARTS = {"mesh": "faces", "texture": "faces", "splats": "splats", "film": "pictures"}


@dataclass(frozen=True, eq=False)
class Made:
    """What a format is written from, what to know of it, and how the object was ``placed`` (films have no
    place).
    """

    content: Content
    notes: tuple[str, ...] = ()
    placed: Similarity | None = None


@dataclass(frozen=True, eq=False)
class Differences:
    """``notes`` say what differs; ``picture`` (SIDE,2 SIDE,3) uint8 shows the viewport and the file."""

    notes: tuple[str, ...] = ()
    picture: np.ndarray | None = None


def reopened(
    chosen: ExportFormat, path: Path, made: Made, options: ExportOptions, source: Source
) -> Differences:
    """What another reader finds in a file that was just written. Raises `StudioError` where it cannot be
    read.
    """
    try:
        notes = tuple(_count_gap(chosen, path, made.content, options))
        views = _views_of(chosen, path, made, options)
    except Exception as error:  # each reader raises what it likes
        raise StudioError(
            f"{path.name} could not be read again ({error}).", "Export it again, or in another format."
        ) from error
    if views is None:
        return Differences(notes)
    if isinstance(made.content, FilmContent):
        return Differences(notes, over_paper(views[0]))
    shown = _drawn(source, _cameras())
    if not _has_colours(chosen):
        notes = (*notes, f"{chosen.title} keeps the shape alone, without colours.")
    same_colours = (
        views if _has_colours(chosen) else np.concatenate([shown[..., :3], views[..., 3:]], axis=-1)
    )
    notes = (*notes, *gaps(path.name, same_colours / 255, shown / 255))
    return Differences(notes, np.concatenate([over_paper(shown[0]), over_paper(views[0])], axis=1))


def _count_gap(chosen: ExportFormat, path: Path, content: Content, options: ExportOptions) -> Iterator[str]:
    if chosen.count is None:
        return
    count = chosen.count(path)
    written = options.frames if isinstance(content, FilmContent) else len(_parts(content))
    if count != written:
        yield f"{path.name} holds {count:,} of the {written:,} {PARTS[chosen.content]} that were written."


def _parts(content: MeshContent | Baked | SplatCloud) -> np.ndarray:
    return content.means if isinstance(content, SplatCloud) else content.faces


def _has_colours(chosen: ExportFormat) -> bool:
    return chosen.suffix != ".stl"


def _cameras() -> list[Camera]:
    return [orbit_camera(azimuth, LOOK[1], DISTANCE, FOV_DEG, SIDE) for azimuth in SIDES_DEG]


def _drawn(source: Source, cameras: list[Camera]) -> np.ndarray:
    """The viewport's pictures (V,S,S,4) uint8, premultiplied."""
    if source.scene is not None:
        return render_rgba(source.scene, cameras)
    assert source.mesh is not None
    return draw_mesh(source.mesh.vertices, source.mesh.faces, source.mesh.colours[source.mesh.faces], cameras)


def draw_mesh(
    vertices: np.ndarray, faces: np.ndarray, corners: np.ndarray, cameras: list[Camera]
) -> np.ndarray:
    """Unlit pictures (V,H,W,4) uint8 of a mesh with a colour at each corner (F,3,3)."""
    poses, K = np.stack([camera.c2w for camera in cameras]), np.stack([camera.K for camera in cameras])
    rgba = render_mesh(
        vertices, faces, corners, poses, K, cameras[0].width, cameras[0].height, shading=UNLIT
    ).rgba
    return (rgba * 255 + 0.5).clip(0, 255).astype(np.uint8)


def _views_of(chosen: ExportFormat, path: Path, made: Made, options: ExportOptions) -> np.ndarray | None:
    if isinstance(made.content, FilmContent):
        return _first_frame(path)[None]
    if isinstance(made.content, SplatCloud):
        read = _reader_of(chosen)
        return None if read is None else _draw_cloud(read(path), made)
    mesh = read_mesh(path, options.up or chosen.up or "y")
    assert made.placed is not None, "a mesh was placed"
    vertices = made.placed.to_world(_fitted(mesh.vertices, made.content.vertices))
    return draw_mesh(vertices, mesh.faces, mesh.colours[mesh.faces], _cameras())


def _reader_of(chosen: ExportFormat) -> Callable[[Path], SplatCloud] | None:
    """Of the formats whose splats can be read whole; of the others they are counted only."""
    from engine.assets.export.splat_files import read_splats

    return read_splats if chosen.suffix in (".ply", ".splat", ".spz", ".sog") else None


def _draw_cloud(cloud: SplatCloud, made: Made) -> np.ndarray:
    from engine.assets.export.splat_cloud import AXES_COMMENT, to_world
    from engine.loop.export_source import scene_of

    means, quats = (
        (cloud.means, cloud.quats) if AXES_COMMENT in cloud.comments else to_world(cloud.means, cloud.quats)
    )
    assert made.placed is not None, "a cloud was placed"
    scales = (cloud.scales / made.placed.scale).astype(np.float32)
    world = replace(cloud, means=made.placed.to_world(means).astype(np.float32), quats=quats, scales=scales)
    return render_rgba(scene_of(world), _cameras())


def _fitted(vertices: np.ndarray, written: np.ndarray) -> np.ndarray:
    """Vertices (N,3) moved and scaled so that their box is that of what was written."""
    low, high, low_written, high_written = vertices.min(0), vertices.max(0), written.min(0), written.max(0)
    scale = (high_written - low_written).max() / max(float((high - low).max()), 1e-30)
    return (vertices - (low + high) / 2) * scale + (low_written + high_written) / 2


def read_mesh(path: Path, up: str) -> ColouredMesh:
    """The triangles of a mesh file with +z up, and display colours; grey where the file has none."""
    reader = {".usdz": _by_usd, ".3mf": _by_lib3mf}.get(path.suffix.lower(), _by_trimesh)
    vertices, faces, colours = reader(path)
    turned = vertices[:, [2, 0, 1]] if up == "y" else vertices
    return ColouredMesh(turned, faces, colours)


def _by_trimesh(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    import trimesh

    (mesh,) = trimesh.load_scene(path, process=False).geometry.values()
    return np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64), _colours_of(mesh)


def _colours_of(mesh) -> np.ndarray:
    """Of vertices (N,3), as they are shown."""
    attributes = getattr(mesh.visual, "vertex_attributes", {})
    if "color" in attributes:
        return srgb_from_linear(np.asarray(attributes["color"])[:, :3] / 255)
    visual = mesh.visual.to_color() if mesh.visual.kind == "texture" else mesh.visual
    return np.asarray(visual.vertex_colors)[:, :3] / 255


def _by_lib3mf(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The one object of a model of ours, with a colour at each corner; where faces meet the last one's."""
    import lib3mf

    model: Any = lib3mf.get_wrapper().CreateModel()
    with locale_kept():
        model.QueryReader("3mf").ReadFromFile(str(path))
    objects = model.GetMeshObjects()
    objects.MoveNext()
    mesh = objects.GetCurrentMeshObject()
    vertices = np.array([tuple(each.Coordinates) for each in mesh.GetVertices()], np.float64)
    faces = np.array([tuple(each.Indices) for each in mesh.GetTriangleIndices()], np.int64)
    properties = mesh.GetAllTriangleProperties()
    group = model.GetColorGroupByID(properties[0].ResourceID)
    shades = {number: _rgb(group.GetColor(number)) for number in group.GetAllPropertyIDs()}
    colours = np.zeros((len(vertices), 3))
    colours[faces] = np.array([[shades[number] for number in each.PropertyIDs] for each in properties]) / 255
    return vertices, faces, colours


def _rgb(colour) -> tuple[int, int, int]:
    return colour.Red, colour.Green, colour.Blue


def _by_usd(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The one mesh of a package of ours, with the colours of its texture."""
    import io
    import zipfile

    Usd, UsdGeom = usd_modules("Usd", "UsdGeom")

    stage = Usd.Stage.Open(str(path))
    mesh = next(UsdGeom.Mesh(prim) for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh))
    vertices = np.asarray(mesh.GetPointsAttr().Get(), np.float64)
    faces = np.asarray(mesh.GetFaceVertexIndicesAttr().Get(), np.int64).reshape(-1, 3)
    uv = np.asarray(UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st").Get(), np.float64)
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".png"))
        texture = np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB"))
    columns, rows = uv[:, 0] * texture.shape[1], (1 - uv[:, 1]) * texture.shape[0]
    at = (
        np.clip(rows.astype(int), 0, texture.shape[0] - 1),
        np.clip(columns.astype(int), 0, texture.shape[1] - 1),
    )
    return vertices, faces, texture[at] / 255


def _first_frame(path: Path) -> np.ndarray:
    """RGBA (H,W,4) uint8, premultiplied, of a film or an animated picture."""
    if path.suffix.lower() in (".mp4", ".webm"):
        frames = imageio_ffmpeg.read_frames(str(path), pix_fmt="rgba", bits_per_pixel=32)
        size = next(frames)["size"]
        picture = np.frombuffer(next(frames), np.uint8).reshape(size[1], size[0], 4)
        frames.close()
    else:
        with Image.open(path) as film:
            picture = np.asarray(film.convert("RGBA"))
    alpha = picture[..., 3:].astype(np.uint16)
    return np.concatenate([(picture[..., :3] * alpha // 255).astype(np.uint8), picture[..., 3:]], axis=-1)
