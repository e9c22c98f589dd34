"""Read a 3D reference of any format that artists exchange, safely, into the canonical pose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.assets.export.ply import read_recipe
from engine.assets.export.splat_files import SUFFIXES as SPLAT_SUFFIXES
from engine.assets.export.splat_files import read_splats
from engine.assets.export.splat_packed import PACKED
from engine.assets.meshes.archive import model_in
from engine.assets.meshes.blocks import blocks_in
from engine.assets.meshes.canonical_pose import AUTO, Orientation, oriented
from engine.assets.meshes.file_kinds import SUFFIXES, kind_of
from engine.assets.meshes.gltf import read_gltf
from engine.assets.meshes.mesh_obj import read_obj
from engine.assets.meshes.mesh_ply import read_ply
from engine.assets.meshes.mesh_shape import Facts, RawMesh, ReferenceShape
from engine.assets.meshes.mesh_stl import read_stl
from engine.assets.meshes.primitives import mesh_of
from engine.assets.meshes.repair import mended
from engine.assets.meshes.splats_to_mesh import bodies_of_splats
from engine.assets.meshes.trimesh_readers import read_plain
from engine.assets.meshes.untrusted_files import Folder, read_bounded
from engine.errors import FileFormatError, InputError

MOST_SPLATS = 5_000_000
UNSURE = 0.75
"""Confidence in the up axis under which a note asks to look."""


def read_reference(path: Path | str, orientation: Orientation = AUTO) -> ReferenceShape:
    """The model in a file of any kind in ``SUFFIXES``, or of blocks, in the canonical pose.

    Nothing outside the file's folder is opened, no network is asked, nothing is written. Raises
    `MissingError` where there is no file, `InputError` where it is too large, `FileFormatError` where it is
    damaged, empty, or of another kind.
    """
    path = Path(path)
    try:
        raw = mended(_read(path, path.name, read_bounded(path), Folder(path.parent)))
    except (MemoryError, RecursionError) as error:
        raise FileFormatError(
            f"{path.name} asks for more memory than there is.", "Reduce it in a 3D editor."
        ) from error
    except InputError as error:
        named = error.what if path.name in error.what else f"{path.name}: {error.what}"
        raise type(error)(named, error.remedy) from error
    return as_shape(raw, path.stem, orientation)


def as_shape(raw: RawMesh, name: str, orientation: Orientation = AUTO) -> ReferenceShape:
    """A mended mesh in the canonical pose."""
    vertices, up, confidence = oriented(raw, orientation)
    if confidence < UNSURE:
        raw = raw.noted(
            f"Which way is up is a guess ({up}, {confidence:.0%} sure); correct it if it lies on its side."
        )
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


def _read(path: Path, name: str, data: bytes, beside: Folder) -> RawMesh:
    kind = kind_of(data, name)
    if kind == "zip":
        inner, data, beside = model_in(
            data, path, tuple(suffix for suffix in SUFFIXES if suffix not in (".zip", *SPLAT_SUFFIXES))
        )
        return _read_one(path, kind_of(data, inner), data, beside, packed=True).noted(
            f"It was packed; {inner[:60]} is used."
        )
    return _read_one(path, kind, data, beside)


def _read_one(path: Path, kind: str, data: bytes, beside: Folder, packed: bool = False) -> RawMesh:
    if kind == "splats" or (kind == "ply" and is_splat_header(data)):
        if packed:
            raise FileFormatError(
                "It is a packed archive of splats.", "Unpack it yourself, and choose the file inside."
            )
        return _splats(path)
    if kind == "ply":
        return read_ply(data, beside)
    if kind == "zip":
        raise FileFormatError(
            "It is a packed archive in another.", "Unpack it yourself, and choose the model inside."
        )
    readers: dict[str, Callable[[], RawMesh]] = {
        "gltf": lambda: read_gltf(data, beside),
        "stl": lambda: replace(read_stl(data), up="z"),
        "obj": lambda: replace(read_obj(data, beside), up="y"),
        "blocks": lambda: mesh_of(blocks_in(data)),
    }
    return readers[kind]() if kind in readers else read_plain(data, kind, beside)


def is_splat_header(data: bytes) -> bool:
    """Whether a PLY's header announces splats, plain or packed."""
    head = data[: 1 << 16].split(b"end_header")[0]
    plain = b" scale_0" in head and b" rot_0" in head and (b" f_dc_0" in head or b" opacity" in head)
    return plain or f" {PACKED[0]}".encode() in head


def _splats(path: Path) -> RawMesh:
    raw = bodies_of_splats(read_splats(path, most=MOST_SPLATS))
    try:
        read_recipe(path)
    except InputError:
        return raw
    return replace(raw, up="z", sure=True, front_is_x=True, facts=Facts(author="made with Maquette"))
