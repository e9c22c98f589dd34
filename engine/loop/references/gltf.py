"""glTF 2.0 and GLB (Khronos Group): every mesh of the scene, merged, with its transforms, in the pose that it rests in.

Read here and not by a library, because everything that a file says (counts, offsets, addresses) is checked before it is used.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.errors import FileFormatError, InputError
from engine.loop.export.glb import linear_from_srgb
from engine.loop.references.files import MAX_FACES, MAX_JSON_PARTS, Folder, bytes_of_uri, picture, sampled, too_many
from engine.loop.references.shape import GRAY, Facts, RawMesh

_JSON, _BIN = 0x4E4F534A, 0x004E4942
_COMPONENTS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_COMPRESSED = ("KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_meshopt_compression")
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
MAX_NODES = 100_000
_SLICE = 100_000


def read_gltf(data: bytes, beside: Folder) -> RawMesh:
    """The scene in a GLB or glTF. Raises `FileFormatError` if it is damaged or not supported, `InputError` if too large."""
    document, binary = _document(data)
    try:
        return _Reader(document, binary, beside).scene()
    except InputError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, struct.error) as error:
        raise FileFormatError(f"It is not a sound glTF file ({type(error).__name__}: {error}).", "Save it again.") from error


def _document(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON and the binary chunk."""
    text, binary = data, b""
    try:
        if data[:4] == b"glTF":
            version, length = struct.unpack_from("<II", data, 4)
            size, kind = struct.unpack_from("<II", data, 12)
            if version != 2 or kind != _JSON or length > len(data) or 20 + size > len(data):
                raise ValueError(f"version {version}, {len(data):,} of {length:,} bytes")
            text = data[20 : 20 + size]
            if len(data) >= 28 + size and struct.unpack_from("<I", data, 24 + size)[0] == _BIN:
                binary = data[28 + size : 28 + size + struct.unpack_from("<I", data, 20 + size)[0]]
        check_parts(text)
        document = json.loads(text)
        if not isinstance(document, dict) or str(document["asset"]["version"]).split(".")[0] != "2":
            raise ValueError("not version 2")
    except (ValueError, KeyError, TypeError, struct.error, RecursionError) as error:
        raise FileFormatError(f"It is not a whole glTF 2.0 file ({error}).", "Save or download it again.") from error
    required = document.get("extensionsRequired", [])
    packed = [name for name in required if name in _COMPRESSED] if isinstance(required, list) else []
    if packed:
        raise FileFormatError(f"Its geometry is compressed ({packed[0]}).", "Save it without compression.")
    return document, binary


def check_parts(text: bytes) -> None:
    """Refuse JSON that would be far larger in memory than on disk. Raises InputError."""
    parts = sum(text.count(sign) for sign in (b",", b"[", b"{"))
    if parts > MAX_JSON_PARTS:
        raise InputError(
            f"Its description has {parts:,} parts; at most {MAX_JSON_PARTS:,} are allowed.", "Save it as GLB, or reduce it."
        )


@dataclass(eq=False)
class _Part:
    vertices: np.ndarray
    faces: np.ndarray
    colours: np.ndarray


@dataclass(eq=False)
class _Reader:
    """One document while it is read; buffers and textures are fetched when they are first needed."""

    document: dict[str, Any]
    binary: bytes
    beside: Folder
    notes: dict[str, None] = field(default_factory=dict)  # in order, each once
    buffers: dict[int, bytes] = field(default_factory=dict)
    textures: dict[int, np.ndarray | None] = field(default_factory=dict)
    pixels: list[int] = field(default_factory=list)  # of the textures decoded so far

    def scene(self) -> RawMesh:
        """Every mesh under the roots of the scene that is shown."""
        placed = self.placed()
        self._check_size(placed)
        parts = [part for index in placed for part in self._parts_of(index, placed)]
        if not parts:
            raise FileFormatError("It holds no triangles.", "Choose a model with a surface.")
        if self.document.get("animations"):
            self.notes["It is animated; the pose that it rests in is used."] = None
        starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
        faces = np.concatenate([part.faces + start for part, start in zip(parts, starts)])
        colours = np.concatenate([part.colours for part in parts])
        return RawMesh(
            np.concatenate([part.vertices for part in parts]),
            faces,
            colours,
            up="y",
            sure=True,
            notes=(*self.notes, *((f"Its {len(parts)} parts are used as one.",) if len(parts) > 1 else ())),
            facts=facts_of(self.document["asset"]),
        )

    def placed(self) -> dict[int, np.ndarray]:
        """World matrix (4,4) of every node of the scene. Raises for a node with two parents, which the format forbids."""
        nodes, scenes = self.document.get("nodes", []), self.document.get("scenes", [])
        children = {child for node in nodes for child in node.get("children", [])}
        roots = scenes[self.document.get("scene", 0)].get("nodes", []) if scenes else sorted(set(range(len(nodes))) - children)
        placed: dict[int, np.ndarray] = {}
        waiting = [(index, np.eye(4)) for index in roots]
        while waiting:
            index, parent = waiting.pop()
            if index in placed or not 0 <= index < len(nodes) or len(placed) >= MAX_NODES:
                raise ValueError(f"node {index} stands at two places, or is not there")
            placed[index] = parent @ _matrix(nodes[index])
            waiting += [(child, placed[index]) for child in nodes[index].get("children", [])]
        return placed

    def _check_size(self, placed: Mapping[int, np.ndarray]) -> None:
        """Refuse by what is announced, before anything is decoded; a mesh counts as often as it is used."""
        total = points = 0
        for index in placed:
            for primitive in self._primitives(index):
                counted = primitive.get("indices", primitive["attributes"]["POSITION"])
                corners = int(self.document["accessors"][counted]["count"])
                total += corners // 3 if primitive.get("mode", _TRIANGLES) == _TRIANGLES else corners
                points += int(self.document["accessors"][primitive["attributes"]["POSITION"]]["count"])
        if total > MAX_FACES or points > 3 * MAX_FACES:
            raise too_many("The model", max(total, points // 3))

    def _primitives(self, index: int) -> list[dict[str, Any]]:
        mesh = self.document["nodes"][index].get("mesh")
        return [] if mesh is None else self.document["meshes"][mesh]["primitives"]

    def _parts_of(self, index: int, placed: Mapping[int, np.ndarray]) -> list[_Part]:
        node, parts = self.document["nodes"][index], []
        for primitive in self._primitives(index):
            if any(name in primitive.get("extensions", {}) for name in _COMPRESSED):
                raise FileFormatError("Its geometry is compressed.", "Save it without compression.")
            if primitive.get("mode", _TRIANGLES) not in (_TRIANGLES, _STRIP, _FAN):
                self.notes["Its points and lines were left out."] = None
                continue
            vertices = self._array(primitive["attributes"]["POSITION"]).astype(np.float64)
            skinned = "skin" in node and "JOINTS_0" in primitive["attributes"]
            moved = self._posed(node, primitive, placed, vertices) if skinned else _moved(vertices, placed[index])
            corners = self._array(primitive["indices"])[:, 0] if "indices" in primitive else np.arange(len(vertices))
            faces = _triangles(corners.astype(np.int64), primitive.get("mode", _TRIANGLES))
            if len(faces) and faces.max() >= len(vertices):
                raise ValueError(f"a face has the corner {faces.max()}, and there are {len(vertices)}")
            parts.append(_Part(moved, faces, self._colours(primitive, faces)))
        return parts

    def _posed(
        self, node: Mapping[str, Any], primitive: Mapping[str, Any], placed: Mapping[int, np.ndarray], vertices: np.ndarray
    ) -> np.ndarray:
        """The vertices (N,3) of a mesh with a skeleton where its joints hold them, as it rests."""
        attributes, skin = primitive["attributes"], self.document["skins"][node["skin"]]
        self.notes["It has a skeleton; the pose that it rests in is used."] = None
        joints = np.stack([placed.get(joint, np.eye(4)) for joint in skin["joints"]])
        if "inverseBindMatrices" in skin:
            joints = joints @ self._array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)[: len(joints)]
        weights, numbers = self._array(attributes["WEIGHTS_0"]), self._array(attributes["JOINTS_0"], normalise=False)
        if not len(weights) == len(numbers) == len(vertices):
            raise ValueError(f"{len(vertices)} vertices hang on {len(numbers)} joints with {len(weights)} weights")
        slices = (slice(at, at + _SLICE) for at in range(0, len(vertices), _SLICE))  # a matrix each: not of all at once
        return np.concatenate([_hung(vertices[part], joints, numbers[part], weights[part]) for part in slices])

    def _colours(self, primitive: Mapping[str, Any], faces: np.ndarray) -> np.ndarray:
        """Display colour (F,3) of each face: factor, vertex colours and texture multiplied in linear light."""
        material = self.document["materials"][primitive["material"]] if "material" in primitive else {}
        if material.get("alphaMode", "OPAQUE") != "OPAQUE":
            self.notes["Its transparent surfaces count as solid."] = None
        surface, attributes = material.get("pbrMetallicRoughness", {}), primitive["attributes"]
        plain = not surface and "COLOR_0" not in attributes
        linear = np.tile(np.array(surface.get("baseColorFactor", (1, 1, 1, 1))[:3], np.float64), (len(faces), 1))
        if "COLOR_0" in attributes:
            linear *= self._array(attributes["COLOR_0"])[:, :3][faces].mean(1)
        look = surface.get("baseColorTexture", {})
        texture = self._texture(look["index"]) if "index" in look else None
        place = f"TEXCOORD_{look.get('texCoord', 0)}"
        if texture is not None and place in attributes:
            linear *= linear_from_srgb(sampled(texture, self._array(attributes[place])[:, :2][faces].mean(1)))
        return np.tile(GRAY, (len(faces), 1)) if plain else _display(linear)

    def _texture(self, index: int) -> np.ndarray | None:
        """A texture's picture, decoded once; without it the surface keeps its plain colour."""
        if index not in self.textures:
            image = self.document["images"][self.document["textures"][index]["source"]]
            try:
                data = self._view(image["bufferView"]) if "bufferView" in image else bytes_of_uri(image["uri"], self.beside)
                self.textures[index] = picture(data, self.pixels)
            except InputError:
                self.textures[index] = None
            if self.textures[index] is None:
                self.notes["A texture could not be used; its surface has a plain colour."] = None
        return self.textures[index]

    def _view(self, index: int) -> bytes:
        view = self.document["bufferViews"][index]
        start, length = int(view.get("byteOffset", 0)), int(view["byteLength"])
        data = self._buffer(view["buffer"])
        if start < 0 or length < 0 or start + length > len(data):
            raise ValueError(f"it holds {len(data):,} bytes where {start + length:,} are needed")
        return data[start : start + length]

    def _buffer(self, index: int) -> bytes:
        if index not in self.buffers:
            uri = self.document["buffers"][index].get("uri")
            self.buffers[index] = self.binary if uri is None else bytes_of_uri(uri, self.beside)
        return self.buffers[index]

    def _array(self, index: int, normalise: bool = True) -> np.ndarray:
        """An accessor's numbers (count, width); whole numbers that are marked so are brought to 0..1."""
        accessor = self.document["accessors"][index]
        if "bufferView" not in accessor or "sparse" in accessor:
            raise FileFormatError("It keeps geometry in sparse form, which is not read.", "Save it with Blender as GLB.")
        kind, width, count = np.dtype(_COMPONENTS[accessor["componentType"]]), _WIDTHS[accessor["type"]], int(accessor["count"])
        stride = int(self.document["bufferViews"][accessor["bufferView"]].get("byteStride", 0)) or kind.itemsize * width
        data, start = self._view(accessor["bufferView"]), int(accessor.get("byteOffset", 0))
        if count < 1 or start < 0 or start + stride * (count - 1) + kind.itemsize * width > len(data):
            raise ValueError(f"{count:,} elements do not fit into {len(data):,} bytes")
        values = np.ndarray((count, width), kind, data, start, (stride, kind.itemsize))
        if accessor.get("normalized") and normalise and kind.kind in "iu":
            return np.maximum(values / np.iinfo(kind).max, -1.0)
        return values


def _moved(vertices: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return vertices @ matrix[:3, :3].T + matrix[:3, 3]


def _hung(vertices: np.ndarray, joints: np.ndarray, numbers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Vertices (N,3), each moved by four of the joints' matrices (J,4,4) by its weights (N,4)."""
    shares = weights / np.maximum(weights.sum(1, keepdims=True, dtype=np.float64), 1e-9)
    matrices = sum(shares[:, k, None, None] * joints[numbers[:, k].astype(np.int64)] for k in range(4))
    return np.einsum("nij,nj->ni", matrices[:, :3, :3], vertices) + matrices[:, :3, 3]


def facts_of(asset: Mapping[str, Any]) -> Facts:
    """Title, author, licence and source, as shops write them into a file's ``asset``."""
    extras = asset.get("extras")
    told = extras if isinstance(extras, dict) else {}

    def line(value: object) -> str:
        return " ".join(str(value or "").split())[:200]

    title, author, licence, source = (line(told.get(name)) for name in ("title", "author", "license", "source"))
    return Facts(title, author, licence or line(asset.get("copyright")), source)


def _matrix(node: Mapping[str, Any]) -> np.ndarray:
    """A node's own matrix (4,4): given, or of translation, rotation (xyzw) and scale."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    x, y, z, w = np.array(node.get("rotation", (0, 0, 0, 1)), np.float64)
    turn = np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                     [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                     [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]])  # fmt: skip
    out = np.eye(4)
    out[:3, :3] = turn * np.array(node.get("scale", (1, 1, 1)), np.float64)
    out[:3, 3] = node.get("translation", (0, 0, 0))
    return out


def _triangles(corners: np.ndarray, mode: int) -> np.ndarray:
    """Faces (F,3) of a list, a strip (every other one turned) or a fan."""
    if mode == _TRIANGLES:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3)
    if mode == _FAN:
        return np.stack([np.full(max(0, len(corners) - 2), corners[0]), corners[1:-1], corners[2:]], 1)
    faces = np.stack([corners[:-2], corners[1:-1], corners[2:]], 1)
    faces[1::2] = faces[1::2, ::-1]
    return faces


def _display(linear: np.ndarray) -> np.ndarray:
    linear = np.clip(np.nan_to_num(linear), 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
