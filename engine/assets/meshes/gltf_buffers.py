"""The numbers of a glTF: buffers, views of them, packed or not, and accessors, sparse or not. Every length is
checked.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.assets.meshes.gltf_document import DRACO, MESHOPT, extension
from engine.assets.meshes.untrusted_files import MAX_BYTES, Folder, bytes_of_uri
from engine.errors import FileFormatError

COMPONENTS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
PACKAGES = "Install it with pip install 'maquette[models]', or save the model without compression."


@dataclass(eq=False)
class Buffers:
    """One document's numbers; a buffer is fetched when it is first needed."""

    document: dict[str, Any]
    binary: bytes
    beside: Folder
    fetched: dict[int, bytes] = field(default_factory=dict)
    unpacked: dict[int, bytes] = field(default_factory=dict)

    def array(self, index: int, normalise: bool = True) -> np.ndarray:
        """An accessor's numbers (count, width); whole numbers that are marked so are brought to 0..1. Raises
        ValueError.
        """
        accessor = self.document["accessors"][index]
        kind, width, count = (
            np.dtype(COMPONENTS[accessor["componentType"]]),
            WIDTHS[accessor["type"]],
            int(accessor["count"]),
        )
        if "bufferView" in accessor:
            values = self._rows(accessor, kind, width, count)
        else:
            values = self._zeros(accessor, kind, width, count)
        if "sparse" in accessor:
            values = self._replaced(values, accessor["sparse"], kind, width)
        if accessor.get("normalized") and normalise and kind.kind in "iu":
            return np.maximum(values / np.iinfo(kind).max, -1.0)
        return values

    def _rows(self, accessor: Mapping[str, Any], kind: np.dtype, width: int, count: int) -> np.ndarray:
        view = self.document["bufferViews"][accessor["bufferView"]]
        stride = int(view.get("byteStride", 0)) or kind.itemsize * width
        data, start = self.view(accessor["bufferView"]), int(accessor.get("byteOffset", 0))
        if (
            count < 1
            or start < 0
            or stride < 1
            or start + stride * (count - 1) + kind.itemsize * width > len(data)
        ):
            raise ValueError(f"{count:,} elements do not fit into {len(data):,} bytes")
        return np.ndarray((count, width), kind, data, start, (stride, kind.itemsize))

    def _zeros(self, accessor: Mapping[str, Any], kind: np.dtype, width: int, count: int) -> np.ndarray:
        """What an accessor without a view holds; no more of them than a file could."""
        if not 0 < count * width * kind.itemsize <= MAX_BYTES:
            raise ValueError(f"it has {count:,} elements without data")
        return np.zeros((count, width), kind)

    def _replaced(
        self, values: np.ndarray, sparse: Mapping[str, Any], kind: np.dtype, width: int
    ) -> np.ndarray:
        """With the elements that a sparse accessor keeps beside the others."""
        count, places = int(sparse["count"]), sparse["indices"]
        numbers = self._rows(places, np.dtype(COMPONENTS[places["componentType"]]), 1, count)[:, 0].astype(
            np.int64
        )
        if numbers.max() >= len(values):
            raise ValueError(f"element {numbers.max():,} of {len(values):,} is replaced")
        values = values.copy()
        values[numbers] = self._rows(sparse["values"], kind, width, count)
        return values

    def view(self, index: int) -> bytes:
        """A view's bytes, unpacked where they are packed."""
        view = self.document["bufferViews"][index]
        packed = next(
            (compression for name in MESHOPT if (compression := extension(view, name)) is not None), None
        )
        if packed is None or (importlib.util.find_spec("meshopt") is None and self._is_plain(view)):
            return self._slice(view)
        if index not in self.unpacked:
            self.unpacked[index] = _meshopt(self._slice(packed), packed)
        return self.unpacked[index]

    def _is_plain(self, view: Mapping[str, Any]) -> bool:
        """Whether a packed view's plain bytes are there too."""
        buffer = self.document["buffers"][view["buffer"]]
        return "uri" in buffer or (view["buffer"] == 0 and len(self.binary) >= int(buffer["byteLength"]))

    def _slice(self, view: Mapping[str, Any]) -> bytes:
        start, length = int(view.get("byteOffset", 0)), int(view["byteLength"])
        data = self._buffer(view["buffer"])
        if start < 0 or length < 0 or start + length > len(data):
            raise ValueError(f"it holds {len(data):,} bytes where {start + length:,} are needed")
        return data[start : start + length]

    def _buffer(self, index: int) -> bytes:
        if index not in self.fetched:
            uri = self.document["buffers"][index].get("uri")
            self.fetched[index] = self.binary if uri is None else bytes_of_uri(uri, self.beside)
        return self.fetched[index]

    def attributes(self, primitive: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """What Draco packed of a primitive, by attribute, and its ``indices`` (F,3); empty where its plain
        form is read.

        Raises FileFormatError where the package that unpacks it is missing, and there is no plain form.
        """
        packed = extension(primitive, DRACO)
        if packed is None:
            return {}
        if importlib.util.find_spec("DracoPy") is None:
            if "bufferView" in self.document["accessors"][primitive["attributes"]["POSITION"]]:
                return {}
            raise FileFormatError(
                "Its geometry is compressed with Draco, which needs a package that is not installed.",
                PACKAGES,
            )
        return _draco(self.view(packed["bufferView"]), packed["attributes"])


def _meshopt(data: bytes, extension: Mapping[str, Any]) -> bytes:
    if importlib.util.find_spec("meshopt") is None:
        raise FileFormatError(
            "Its geometry is compressed with meshopt, which needs a package that is not installed.", PACKAGES
        )
    import meshopt

    count, stride = int(extension["count"]), int(extension["byteStride"])
    if not 0 < count * stride <= MAX_BYTES:
        raise ValueError(f"{count:,} packed elements of {stride} bytes")
    try:
        rows = meshopt.decode_gltf_buffer(
            data, count, stride, extension["mode"], extension.get("filter", "NONE")
        )
    except Exception as error:  # the library raises whatever the damage leads to
        raise ValueError(f"its packed geometry is damaged ({error})") from error
    return np.ascontiguousarray(rows).tobytes()


def _draco(data: bytes, names: Mapping[str, int]) -> dict[str, np.ndarray]:
    import DracoPy

    try:
        mesh = DracoPy.decode(data)
        attributes = {
            name: np.asarray(mesh.get_attribute_by_unique_id(int(number))["data"])
            for name, number in names.items()
        }
        return {**attributes, "indices": np.asarray(mesh.faces, np.int64)}
    except Exception as error:  # the library raises whatever the damage leads to
        raise ValueError(f"its packed geometry is damaged ({error})") from error
