"""A glTF 2.0 document and its binary buffer while they grow, and the file that holds both (Khronos Group,
GLB).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.assets.export.files import atomic_path

VERTEX_BUFFER, INDEX_BUFFER = 34962, 34963
MAGIC, VERSION, JSON_CHUNK, BINARY_CHUNK = 0x46546C67, 2, 0x4E4F534A, 0x004E4942
COMPONENTS = {"<f4": 5126, "<u4": 5125, "<u2": 5123, "|u1": 5121}
MOST_SHORT = 65_535
"""Vertices up to which 16 bits are enough for an index; the largest value would restart a strip."""


@dataclass
class GltfWriter:
    """``extras`` go into the asset and into the scene: some programs keep only one of them."""

    extras: Mapping[str, str]
    binary: bytearray = field(default_factory=bytearray)
    document: dict[str, Any] = field(default_factory=lambda: {"bufferViews": [], "accessors": []})

    def add_view(self, data: bytes, target: int | None = None) -> int:
        """Append bytes, aligned to 4; returns the number of their view."""
        self.binary += b"\0" * (-len(self.binary) % 4)
        view = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)}
        self.document["bufferViews"].append(view if target is None else view | {"target": target})
        self.binary += data
        return len(self.document["bufferViews"]) - 1

    def add_array(
        self,
        values: np.ndarray,
        kind: str,
        target: int | None = None,
        *,
        bounds: bool = False,
        normalized: bool = False,
    ) -> int:
        """Append an array of one of the kinds of ``COMPONENTS``, with its least and largest value where
        ``bounds`` are due.
        """
        accessor = {
            "bufferView": self.add_view(np.ascontiguousarray(values).tobytes(), target),
            "componentType": COMPONENTS[values.dtype.str],
            "count": len(values),
            "type": kind,
            **({"normalized": True} if normalized else {}),
            **({"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()} if bounds else {}),
        }
        self.document["accessors"].append(accessor)
        return len(self.document["accessors"]) - 1

    def add_indices(self, faces: np.ndarray, n_vertices: int) -> int:
        """Append faces (F,3) in 16 bits where they fit, else in 32."""
        kind = "<u2" if n_vertices <= MOST_SHORT else "<u4"
        return self.add_array(faces.astype(kind).reshape(-1), "SCALAR", INDEX_BUFFER)

    def write(self, path: Path | str, primitive: Mapping[str, Any], name: str) -> None:
        """One scene with one node, whose mesh is one primitive, all called ``name``. Raises
        `StorageError`.
        """
        extras = {"extras": dict(self.extras)} if self.extras else {}
        self.document |= {
            "asset": {"version": "2.0", "generator": "Maquette", **extras},
            "buffers": [{"byteLength": len(self.binary)}],
            "meshes": [{"name": name, "primitives": [dict(primitive)]}],
            "nodes": [{"name": name, "mesh": 0}],
            "scenes": [{"name": name, "nodes": [0], **extras}],
            "scene": 0,
        }
        text = json.dumps(self.document, separators=(",", ":")).encode()
        chunks = _chunk(JSON_CHUNK, text, b" ") + _chunk(BINARY_CHUNK, bytes(self.binary), b"\0")
        with atomic_path(path) as partial:
            partial.write_bytes(struct.pack("<III", MAGIC, VERSION, 12 + len(chunks)) + chunks)


def _chunk(kind: int, data: bytes, filler: bytes) -> bytes:
    data += filler * (-len(data) % 4)
    return struct.pack("<II", len(data), kind) + data
