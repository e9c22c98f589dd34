"""Coloured or textured triangle meshes as GLB (glTF 2.0, Khronos Group), one self-contained binary file.

Ours is a world with +z up and fronts facing +x; glTF has +y up and fronts facing +z: (x, y, z) -> (y, z, x), a rotation.
Our colours are display values (sRGB). glTF wants vertex colours linear and base colour textures in sRGB, so the same
colour takes two forms here. The material is matt: no metal, full roughness.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.assets.export.files import atomic_path, read_errors
from engine.errors import FileFormatError, InputError

_FLOAT, _UINT = 5126, 5125
_VERTEX_BUFFER, _INDEX_BUFFER = 34962, 34963
_LINEAR_FILTER, _MIPMAPPED, _CLAMP = 9729, 9987, 33071
_MAGIC, _VERSION, _JSON_CHUNK, _BINARY_CHUNK = 0x46546C67, 2, 0x4E4F534A, 0x004E4942


def gltf_from_world(points: np.ndarray) -> np.ndarray:
    """Positions or directions (...,3) from our axes (+z up, front +x) to glTF's (+y up, front +z)."""
    return points[..., [1, 2, 0]]


def world_from_gltf(points: np.ndarray) -> np.ndarray:
    """Positions or directions (...,3) from glTF's axes to ours."""
    return points[..., [2, 0, 1]]


def linear_from_srgb(colour: np.ndarray) -> np.ndarray:
    """Linear light from display values in 0..1 (IEC 61966-2-1)."""
    colour = np.clip(colour, 0.0, 1.0)
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals (N,3): the area-weighted mean of the faces round a vertex; +z where there is none."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    weighted, normals = np.cross(b - a, c - a), np.zeros((len(vertices), 3))
    for k in range(3):
        np.add.at(normals, faces[:, k], weighted)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(length > 1e-20, normals / np.maximum(length, 1e-20), [0.0, 0.0, 1.0])


def write_glb(
    path: Path | str,
    vertices: np.ndarray,
    faces: np.ndarray,
    vertex_colours: np.ndarray,
    *,
    recipe: str = "",
    facts: Mapping[str, str] | None = None,
) -> None:
    """Write a mesh (vertices (N,3), faces (F,3)) with a display colour (N,3) in 0..1 a vertex.

    ``facts`` are written into ``asset.extras`` as shops do: title, author, license, source.
    Raises `InputError` for an empty or unusable mesh, `StorageError` where the file cannot be written.
    """
    vertices, faces = _checked_mesh(vertices, faces)
    colours = _checked_rows("vertex_colours", vertex_colours, (len(vertices), 3))
    glb = _Builder({**(facts or {}), **({"recipe": recipe} if recipe else {})})
    attributes = _geometry(glb, vertices, faces)
    attributes["COLOR_0"] = glb.add_array(linear_from_srgb(colours).astype("<f4"), "VEC3", _VERTEX_BUFFER)
    _write(path, glb, attributes, glb.add_array(faces.astype("<u4").reshape(-1), "SCALAR", _INDEX_BUFFER), texture=False)


def write_textured_glb(
    path: Path | str, vertices: np.ndarray, faces: np.ndarray, uv: np.ndarray, texture: np.ndarray, *, recipe: str = ""
) -> None:
    """Write a mesh with ``uv`` (N,2), origin at the top left, and a ``texture`` (H,W,3) uint8 of display colours.

    Raises `InputError` for an empty or unusable mesh, `StorageError` where the file cannot be written.
    """
    vertices, faces = _checked_mesh(vertices, faces)
    uv = _checked_rows("uv", uv, (len(vertices), 2))
    if texture.dtype != np.uint8 or texture.ndim != 3 or texture.shape[2] != 3 or texture.size == 0:
        what = f"The texture is {texture.dtype} {texture.shape}, but uint8 (H, W, 3) is needed."
        raise InputError(what, "Convert it to 8 bits a channel.")
    glb = _Builder({"recipe": recipe} if recipe else {})
    attributes = _geometry(glb, vertices, faces)
    attributes["TEXCOORD_0"] = glb.add_array(uv.astype("<f4"), "VEC2", _VERTEX_BUFFER)
    indices = glb.add_array(faces.astype("<u4").reshape(-1), "SCALAR", _INDEX_BUFFER)
    png = BytesIO()
    Image.fromarray(texture).save(png, format="PNG")
    glb.document["images"] = [{"bufferView": glb.add_view(png.getvalue()), "mimeType": "image/png"}]
    glb.document["samplers"] = [{"magFilter": _LINEAR_FILTER, "minFilter": _MIPMAPPED, "wrapS": _CLAMP, "wrapT": _CLAMP}]
    glb.document["textures"] = [{"source": 0, "sampler": 0}]
    _write(path, glb, attributes, indices, texture=True)


def read_recipe(path: Path | str) -> str:
    """The recipe in the file's ``asset.extras``. Raises `FileFormatError` if there is none or it is no GLB."""
    with read_errors(path), open(path, "rb") as file:
        head = file.read(20)
        if len(head) < 20 or struct.unpack("<I", head[:4])[0] != _MAGIC or struct.unpack("<I", head[16:])[0] != _JSON_CHUNK:
            raise FileFormatError(f"{path} is not a GLB file, or it is cut off.", "Choose a .glb that Maquette exported.")
        text = file.read(struct.unpack("<I", head[12:16])[0])
    try:
        recipe = json.loads(text)["asset"]["extras"]["recipe"]
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(f"{path} holds no recipe.", "Choose a .glb that Maquette exported.") from error
    return str(recipe)


def _checked_mesh(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    vertices, faces = np.asarray(vertices), np.asarray(faces)
    vertices = _checked_rows("vertices", vertices, (len(vertices), 3))
    if len(faces) == 0 or len(vertices) == 0:
        raise InputError("The mesh is empty.", "Lower the surface level, or refine the shape first.")
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.min() < 0 or faces.max() >= len(vertices):
        raise InputError("faces must be rows of three indices of vertices.", "Extract the mesh again.")
    return vertices, faces


def _checked_rows(name: str, values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.shape != shape or not np.isfinite(values).all():
        what = f"{name} of shape {values.shape} holds wrong or non-finite rows; finite numbers of shape {shape} are needed."
        raise InputError(what, "Extract the mesh again.")
    return values


@dataclass
class _Builder:
    """A glTF document and its binary buffer while they grow."""

    extras: Mapping[str, str]
    binary: bytearray = field(default_factory=bytearray)
    document: dict[str, Any] = field(default_factory=lambda: {"bufferViews": [], "accessors": []})

    def __post_init__(self) -> None:
        extras = {"extras": dict(self.extras)} if self.extras else {}
        self.document["asset"] = {"version": "2.0", "generator": "Maquette", **extras}

    def add_view(self, data: bytes, target: int | None = None) -> int:
        """Append bytes at a multiple of four; returns the index of their bufferView."""
        self.binary.extend(b"\0" * (-len(self.binary) % 4))
        view = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)}
        self.document["bufferViews"].append(view if target is None else {**view, "target": target})
        self.binary.extend(data)
        return len(self.document["bufferViews"]) - 1

    def add_array(self, values: np.ndarray, shape: str, target: int, *, bounds: bool = False) -> int:
        """Append an array; returns the index of its accessor."""
        accessor: dict[str, Any] = {"bufferView": self.add_view(values.tobytes(), target), "count": len(values), "type": shape}
        accessor["componentType"] = _FLOAT if values.dtype.kind == "f" else _UINT
        if bounds:
            accessor |= {"min": values.min(0).tolist(), "max": values.max(0).tolist()}
        self.document["accessors"].append(accessor)
        return len(self.document["accessors"]) - 1


def _geometry(glb: _Builder, vertices: np.ndarray, faces: np.ndarray) -> dict[str, int]:
    normals = gltf_from_world(vertex_normals(vertices, faces)).astype("<f4")
    return {
        "POSITION": glb.add_array(gltf_from_world(vertices).astype("<f4"), "VEC3", _VERTEX_BUFFER, bounds=True),
        "NORMAL": glb.add_array(normals, "VEC3", _VERTEX_BUFFER),
    }


def _write(path: Path | str, glb: _Builder, attributes: Mapping[str, int], indices: int, *, texture: bool) -> None:
    """Name the one mesh, its matt material and its scene, and write both chunks."""
    surface: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": 1.0}
    if texture:
        surface["baseColorTexture"] = {"index": 0}
    glb.document |= {
        "buffers": [{"byteLength": len(glb.binary)}],
        "materials": [{"name": "matt", "pbrMetallicRoughness": surface, "doubleSided": True}],
        "meshes": [{"primitives": [{"attributes": dict(attributes), "indices": indices, "material": 0}]}],
        "nodes": [{"name": "maquette", "mesh": 0}],
        "scenes": [{"nodes": [0]}],
        "scene": 0,
    }
    text = json.dumps(glb.document, separators=(",", ":")).encode()
    chunks = _chunk(_JSON_CHUNK, text, b" ") + _chunk(_BINARY_CHUNK, bytes(glb.binary), b"\0")
    with atomic_path(path) as partial:
        partial.write_bytes(struct.pack("<III", _MAGIC, _VERSION, 12 + len(chunks)) + chunks)


def _chunk(kind: int, data: bytes, filler: bytes) -> bytes:
    data += filler * (-len(data) % 4)
    return struct.pack("<II", len(data), kind) + data
