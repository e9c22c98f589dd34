"""Coloured or textured triangle meshes as GLB (glTF 2.0, Khronos Group), one self-contained binary file.

Ours is a world with +z up and fronts facing +x; glTF has +y up and fronts facing +z: (x, y, z) -> (y, z, x),
a rotation. Our colours are display values (sRGB). glTF wants vertex colours linear and base colour textures
in sRGB, so the same colour takes two forms here. The material is matt: no metal, full roughness.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.assets.export.files import read_errors
from engine.assets.export.gltf_writer import JSON_CHUNK, MAGIC, VERTEX_BUFFER, GltfWriter
from engine.assets.export.sheet import png_of
from engine.assets.meshes.mesh_shape import vertex_normals
from engine.errors import FileFormatError, InputError

if TYPE_CHECKING:
    from engine.assets.export.bake import Baked

NAME = "maquette"
_LINEAR_FILTER, _MIPMAPPED, _CLAMP = 9729, 9987, 33071


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


def srgb_from_linear(light: np.ndarray) -> np.ndarray:
    """The way back."""
    light = np.clip(light, 0.0, 1.0)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def write_glb(
    path: Path | str,
    vertices: np.ndarray,
    faces: np.ndarray,
    vertex_colours: np.ndarray,
    *,
    recipe: str = "",
    facts: Mapping[str, str] | None = None,
    name: str = NAME,
    exact: bool = False,
) -> None:
    """Write a mesh (vertices (N,3), faces (F,3)) with a display colour (N,3) in 0..1 a vertex.

    ``facts`` are written into ``asset.extras`` as shops do: title, author, license, source. ``name`` is that
    of the object. Colours are four bytes of linear light, the one form that every program reads and writes
    again; ``exact`` ones have two bytes a channel, so that no shade is lost, for files that only this program
    opens. Raises `InputError` for an empty or unusable mesh, `StorageError` where the file cannot be written.
    """
    vertices, faces = _checked_mesh(vertices, faces)
    colours = _checked_rows("vertex_colours", vertex_colours, (len(vertices), 3))
    writer = GltfWriter({**(facts or {}), **({"recipe": recipe} if recipe else {})})
    attributes = _geometry(writer, vertices, vertex_normals(vertices, faces))
    linear = np.pad(linear_from_srgb(colours), ((0, 0), (0, 1)), constant_values=1.0)
    kind = np.dtype("<u2" if exact else "u1")
    steps = (linear * np.iinfo(kind).max + 0.5).astype(kind)
    attributes["COLOR_0"] = writer.add_array(steps, "VEC4", VERTEX_BUFFER, normalized=True)
    _write(path, writer, attributes, writer.add_indices(faces, len(vertices)), name)


def write_textured_glb(path: Path | str, baked: Baked, *, recipe: str = "", name: str = NAME) -> None:
    """Write a mesh with the texture of its display colours.

    Raises `InputError` for an empty or unusable mesh, `StorageError` where the file cannot be written.
    """
    vertices, faces = _checked_mesh(baked.vertices, baked.faces)
    normals = _checked_rows("normals", baked.normals, vertices.shape)
    uv = _checked_rows("uv", baked.uv, (len(vertices), 2))
    texture = baked.texture
    if texture.dtype != np.uint8 or texture.ndim != 3 or texture.shape[2] != 3 or texture.size == 0:
        what = f"The texture is {texture.dtype} {texture.shape}, but uint8 (H, W, 3) is needed."
        raise InputError(what, "Convert it to 8 bits a channel.")
    writer = GltfWriter({"recipe": recipe} if recipe else {})
    attributes = _geometry(writer, vertices, normals)
    attributes["TEXCOORD_0"] = writer.add_array(uv.astype("<f4"), "VEC2", VERTEX_BUFFER)
    indices = writer.add_indices(faces, len(vertices))
    writer.document["images"] = [
        {"name": name, "bufferView": writer.add_view(png_of(texture)), "mimeType": "image/png"}
    ]
    writer.document["samplers"] = [
        {"magFilter": _LINEAR_FILTER, "minFilter": _MIPMAPPED, "wrapS": _CLAMP, "wrapT": _CLAMP}
    ]
    writer.document["textures"] = [{"source": 0, "sampler": 0}]
    _write(path, writer, attributes, indices, name)


def read_recipe(path: Path | str) -> str:
    """The recipe in the file's ``asset.extras``. Raises `FileFormatError` if there is none or it is no
    GLB.
    """
    with read_errors(path), open(path, "rb") as file:
        head = file.read(20)
        if (
            len(head) < 20
            or struct.unpack("<I", head[:4])[0] != MAGIC
            or struct.unpack("<I", head[16:])[0] != JSON_CHUNK
        ):
            raise FileFormatError(
                f"{path} is not a GLB file, or it is cut off.", "Choose a .glb that Maquette exported."
            )
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
        what = (
            f"{name} of shape {values.shape} holds wrong or non-finite rows; finite numbers of shape "
            f"{shape} are needed."
        )
        raise InputError(what, "Extract the mesh again.")
    return values


def _geometry(writer: GltfWriter, vertices: np.ndarray, normals: np.ndarray) -> dict[str, int]:
    """Positions and normals, turned to glTF's axes."""
    positions = gltf_from_world(vertices).astype("<f4")
    return {
        "POSITION": writer.add_array(positions, "VEC3", VERTEX_BUFFER, bounds=True),
        "NORMAL": writer.add_array(gltf_from_world(normals).astype("<f4"), "VEC3", VERTEX_BUFFER),
    }


def _write(
    path: Path | str, writer: GltfWriter, attributes: Mapping[str, int], indices: int, name: str
) -> None:
    """Under one matt material, with the texture if there is one."""
    surface: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": 1.0}
    if "textures" in writer.document:
        surface["baseColorTexture"] = {"index": 0}
    writer.document["materials"] = [
        {"name": f"{name} (matt)", "pbrMetallicRoughness": surface, "doubleSided": True}
    ]
    writer.write(path, {"attributes": dict(attributes), "indices": indices, "material": 0}, name)
