"""Splats in a GLB by the extension KHR_gaussian_splatting (Khronos Group, ratified 2026).

Programs that do not know it show a cloud of coloured points. Unlike PLY, scales are linear, opacities in
0..1, quaternions xyzw, and +y is up.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.assets.export.formats.base import ExportFormat, ExportOptions
from engine.assets.export.formats.counting import points_by_trimesh
from engine.assets.export.glb import linear_from_srgb
from engine.assets.export.gltf_writer import VERTEX_BUFFER, GltfWriter
from engine.assets.export.splat_cloud import SplatCloud, rgb_from_sh0, turned
from engine.errors import InputError

EXTENSION = "KHR_gaussian_splatting"
POINTS = 0
FROM_WORLD = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], np.float64)
TURN = np.array([0.5, -0.5, -0.5, -0.5])
"""The same rotation, from our axes to glTF's, as a quaternion w x y z."""


def write(path: Path, content: SplatCloud, options: ExportOptions) -> None:
    """Write one primitive of points with the six attributes of the extension's lowest degree."""
    if not len(content.means):
        raise InputError("There are no splats to export.", "Refine the shape first.")
    writer = GltfWriter({"recipe": options.recipe} if options.recipe else {})
    means, quats = turned(content.means, content.quats, FROM_WORLD, TURN)
    light = linear_from_srgb(rgb_from_sh0(content.sh0.astype(np.float64)))
    fallback = (np.column_stack([light, np.clip(content.opacities, 0, 1)]) * 255 + 0.5).astype("u1")
    floats = {
        "ROTATION": (quats[:, [1, 2, 3, 0]] / np.linalg.norm(quats, axis=1, keepdims=True), "VEC4"),
        "SCALE": (content.scales, "VEC3"),
        "OPACITY": (np.clip(content.opacities, 0, 1), "SCALAR"),
        "SH_DEGREE_0_COEF_0": (content.sh0, "VEC3"),
    }
    attributes = {
        "POSITION": writer.add_array(means.astype("<f4"), "VEC3", VERTEX_BUFFER, bounds=True),
        "COLOR_0": writer.add_array(fallback, "VEC4", VERTEX_BUFFER, normalized=True),
    }
    for name, (rows, kind) in floats.items():
        attributes[f"{EXTENSION}:{name}"] = writer.add_array(rows.astype("<f4"), kind, VERTEX_BUFFER)
    how = {"kernel": "ellipse", "colorSpace": "srgb_rec709_display", "projection": "perspective"}
    how["sortingMethod"] = "cameraDistance"
    writer.document["extensionsUsed"] = [EXTENSION]
    writer.write(
        path, {"mode": POINTS, "attributes": attributes, "extensions": {EXTENSION: how}}, options.name
    )


FORMAT = ExportFormat(
    title="Splats, glTF",
    suffix=".splats.glb",
    content="splats",
    write=write,
    count=points_by_trimesh,
    bytes_each=60,
    help="Khronos' own way to keep splats, in a GLB; y is up.",
    options=("size_m", "origin"),
)
