"""STL for 3D printers: shape alone, in millimetres."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.assets.export.files import atomic_path
from engine.assets.export.formats.base import (
    MESH_OPTIONS,
    ExportFormat,
    ExportOptions,
    MeshContent,
    turned_up,
)
from engine.assets.export.formats.counting import faces_by_trimesh

MILLIMETRES = 1000.0
ROW = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def write(path: Path, content: MeshContent, options: ExportOptions) -> None:
    """Write it in binary: 80 bytes that nobody reads, the count, 50 bytes a face."""
    corners = turned_up(content.vertices * MILLIMETRES, options.up or FORMAT.up)[content.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    rows = np.zeros(len(corners), ROW)
    rows["normal"] = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    rows["corners"] = corners
    with atomic_path(path) as partial:
        partial.write_bytes(
            b"Maquette, binary STL in mm".ljust(80) + np.uint32(len(rows)).tobytes() + rows.tobytes()
        )


FORMAT = ExportFormat(
    title="STL",
    suffix=".stl",
    content="mesh",
    write=write,
    count=faces_by_trimesh,
    bytes_each=50,
    help="For 3D printing: shape without colours, in millimetres.",
    options=MESH_OPTIONS,
    up="z",
    print_size=True,
)
