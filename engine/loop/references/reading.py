"""Read a 3D reference of any format that artists exchange, safely, into the canonical pose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import trimesh

from engine.errors import FileFormatError, InputError
from engine.loop.export.ply import read_recipe
from engine.loop.export.splat_files import SUFFIXES as SPLAT_SUFFIXES
from engine.loop.export.splat_files import read_splats
from engine.loop.export.splat_packed import PACKED
from engine.loop.references.blocks import blocks_in, is_blocks
from engine.loop.references.files import Folder, read_bounded
from engine.loop.references.gltf import read_gltf
from engine.loop.references.mending import mended
from engine.loop.references.orient import AUTO, Orientation, oriented
from engine.loop.references.plain import ply_counts, read_plain, stl_faces, with_convention
from engine.loop.references.proxies import bodies_of_points, bodies_of_splats
from engine.loop.references.shape import GRAY, Facts, RawMesh, ReferenceShape
from engine.loop.references.solids import mesh_of

SUFFIXES = (".glb", ".gltf", ".obj", ".ply", ".stl")
BLOCKS_SUFFIX = ".json"
MOST_SPLATS = 5_000_000
UNSURE = 0.75
"""Confidence in the up axis under which a note asks to look."""


def read_reference(path: Path | str, orientation: Orientation = AUTO) -> ReferenceShape:
    """The model in a GLB, glTF, OBJ, PLY (mesh, points or splats), STL or blocks file, in the canonical pose.

    Nothing outside the file's folder is opened, no network is asked, nothing is written. Raises `MissingError` where there is no
    file, `InputError` where it is too large, `FileFormatError` where it is damaged, empty, or of another kind.
    """
    path = Path(path)
    try:
        raw = mended(_read(path, read_bounded(path)))
    except (MemoryError, RecursionError) as error:
        raise FileFormatError(f"{path.name} asks for more memory than there is.", "Reduce it in a 3D editor.") from error
    except InputError as error:
        named = error.what if path.name in error.what else f"{path.name}: {error.what}"
        raise type(error)(named, error.remedy) from error
    return as_shape(raw, path.stem, orientation)


def as_shape(raw: RawMesh, name: str, orientation: Orientation = AUTO) -> ReferenceShape:
    """A mended mesh in the canonical pose."""
    vertices, up, confidence = oriented(raw, orientation)
    if confidence < UNSURE:
        raw = raw.noted(f"Which way is up is a guess ({up}, {confidence:.0%} sure); correct it if it lies on its side.")
    return ReferenceShape(
        np.ascontiguousarray(vertices, np.float32),
        np.ascontiguousarray(raw.faces, np.int32),
        np.ascontiguousarray(raw.face_colours, np.float32),
        name,
        up,
        confidence,
        raw.splats,
        raw.notes,
        raw.facts,
    )


def kind_of(data: bytes, name: str) -> str:
    """What the bytes are, by what they begin with; the name only helps where that says nothing. Raises `FileFormatError`."""
    start = data[:512].lstrip()
    if not data:
        raise FileFormatError("It is empty.", "Save or download it again.")
    if data[:4] == b"glTF":
        return "gltf"
    if start.startswith(b"ply"):
        return "ply"
    if start.startswith(b"{"):
        return "blocks" if is_blocks(data) or name.lower().endswith(BLOCKS_SUFFIX) else "gltf"
    if Path(name).suffix.lower() in SPLAT_SUFFIXES:
        return "splats"
    if data[:2] in (b"PK", b"\x1f\x8b") or data[:4] in (b"Rar!", b"7z\xbc\xaf"):
        raise FileFormatError("It is a packed archive.", "Unpack it yourself, and choose the model inside.")
    if stl_faces(data) or (start.startswith(b"solid") and b"facet" in data[:4096]):
        return "stl"
    if name.lower().endswith(".obj") or any(line.startswith((b"v ", b"f ")) for line in data[:65536].splitlines()):
        return "obj"
    raise FileFormatError("It is no model that can be read.", f"Choose one of: {', '.join(SUFFIXES)}.")


def _read(path: Path, data: bytes) -> RawMesh:
    readers: dict[str, Callable[[Path, bytes], RawMesh]] = {
        "gltf": _gltf,
        "ply": _ply,
        "stl": _plain("stl"),
        "obj": _plain("obj"),
        "blocks": lambda path, data: mesh_of(blocks_in(data)),
        "splats": lambda path, data: _splats(path),
    }
    return readers[kind_of(data, path.name)](path, data)


def _gltf(path: Path, data: bytes) -> RawMesh:
    return read_gltf(data, Folder(path.parent))


def _plain(kind: str) -> Callable[[Path, bytes], RawMesh]:
    return lambda path, data: with_convention(read_plain(data, kind, Folder(path.parent)), kind)


def _ply(path: Path, data: bytes) -> RawMesh:
    """Splats, a mesh, or bare points: the header tells."""
    head = data[: 1 << 16].split(b"end_header")[0]
    if (b" f_dc_0" in head and b" scale_0" in head) or f" {PACKED[0]}".encode() in head:
        return _splats(path)
    if ply_counts(data).get("face", 0):
        return _plain("ply")(path, data)
    return _points(data)


def _splats(path: Path) -> RawMesh:
    raw = bodies_of_splats(read_splats(path, most=MOST_SPLATS))
    try:
        read_recipe(path)
    except InputError:
        return raw
    return replace(raw, up="z", sure=True, front_is_x=True, facts=Facts(author="made with Maquette"))


def _points(data: bytes) -> RawMesh:
    try:
        cloud = trimesh.load(BytesIO(data), file_type="ply")
        points = np.asarray(cloud.vertices, np.float64)
        colours = np.asarray(getattr(cloud, "colors", np.zeros((0, 4))), np.float64)
    except Exception as error:  # trimesh raises whatever the damage leads to
        raise FileFormatError(f"It is damaged ({type(error).__name__}: {error}).", "Save it again.") from error
    if len(colours) != len(points):
        return bodies_of_points(points, np.tile(GRAY, (len(points), 1)))
    return bodies_of_points(points, colours[:, :3] / 255)
