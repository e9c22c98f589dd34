"""Small models in the formats that artists exchange, sound and broken."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

# A wedge that is different along every axis: its box is 1 x 2 x 3, its ridge at one end.
WEDGE = np.array([[0, 0, 0], [1, 0, 0], [1, 2, 0], [0, 2, 0], [0, 0, 3], [1, 0, 3]], np.float32)
WEDGE_FACES = np.array(
    [[0, 2, 1], [0, 3, 2], [0, 1, 5], [0, 5, 4], [0, 4, 3], [1, 2, 5], [3, 4, 5], [3, 5, 2]], np.uint32
)


def document(
    vertices: np.ndarray = WEDGE, faces: np.ndarray = WEDGE_FACES, **more: Any
) -> tuple[dict[str, Any], bytes]:
    """A glTF document of one mesh and its binary buffer; ``more`` replaces parts of it."""
    positions, indices = vertices.astype("<f4").tobytes(), faces.astype("<u4").tobytes()
    plain = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": len(vertices), "type": "VEC3"},
            {"bufferView": 1, "componentType": 5125, "count": faces.size, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": len(positions)},
            {"buffer": 0, "byteOffset": len(positions), "byteLength": len(indices)},
        ],
        "buffers": [{"byteLength": len(positions) + len(indices)}],
    }
    return {**plain, **more}, positions + indices


def write_glb(path: Path, told: dict[str, Any], binary: bytes) -> Path:
    """A GLB of a document and its buffer."""
    text = json.dumps(told).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    body = (
        struct.pack("<II", len(text), 0x4E4F534A)
        + text
        + struct.pack("<II", len(binary), 0x004E4942)
        + binary
    )
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body)
    return path


def write_obj(
    path: Path, vertices: np.ndarray = WEDGE, faces: np.ndarray = WEDGE_FACES, head: str = ""
) -> Path:
    lines = [
        head,
        *(f"v {x} {y} {z}" for x, y, z in vertices),
        *(f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_stl(path: Path, vertices: np.ndarray = WEDGE, faces: np.ndarray = WEDGE_FACES) -> Path:
    rows = np.zeros(len(faces), np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("mark", "<u2")]))
    rows["corners"] = vertices[faces]
    path.write_bytes(b" " * 80 + struct.pack("<I", len(faces)) + rows.tobytes())
    return path


def write_ply(
    path: Path, vertices: np.ndarray = WEDGE, faces: np.ndarray = WEDGE_FACES, announced: int | None = None
) -> Path:
    head = [
        "ply",
        "format ascii 1.0",
        f"element vertex {len(vertices)}",
        *(f"property float {axis}" for axis in "xyz"),
    ]
    head += [
        f"element face {len(faces) if announced is None else announced}",
        "property list uchar int vertex_indices",
    ]
    rows = [*(f"{x} {y} {z}" for x, y, z in vertices), *(f"3 {a} {b} {c}" for a, b, c in faces)]
    path.write_text("\n".join([*head, "end_header", *rows]) + "\n")
    return path
