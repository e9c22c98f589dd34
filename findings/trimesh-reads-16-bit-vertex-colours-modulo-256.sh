#!/usr/bin/env bash
# trimesh 5.2.0 reading a GLB whose COLOR_0 is of normalised 16-bit integers, one of the three kinds that glTF 2.0 allows.
#
# Good guess: 65535 is full colour, so that a ramp from 0 to 65535 becomes a ramp from 0 to 255.
# Seen: each value is cut to its lower byte. A ramp comes out as noise (0, 146, 36, 182, 72, ...), without a warning, and a file
#   written again keeps the noise. The same ramp as floats or bytes is read as it is meant. Compressed exports
#   (meshopt and Draco pipelines among them) often hold 16-bit colours.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "trimesh==5.2.0" "numpy<3"
"$folder/venv/bin/python" - <<'PY'
import io
import json
import struct

import numpy as np
import trimesh

KINDS = {"bytes": (5121, np.uint8, 255), "16 bits": (5123, np.uint16, 65535), "floats": (5126, np.float32, 1)}


def glb(kind: str) -> bytes:
    """A box of eight corners whose grey rises from corner to corner."""
    component, dtype, full = KINDS[kind]
    box = trimesh.creation.box()
    grey = (np.linspace(0, 1, 8) * full).astype(dtype)
    colours = np.stack([grey, grey, grey, np.full(8, full, dtype)], 1)
    blobs = [box.vertices.astype("<f4").tobytes(), colours.tobytes(), box.faces.astype("<u2").tobytes()]
    starts = np.cumsum([0, *map(len, blobs)])
    accessors = [
        {"bufferView": 0, "componentType": 5126, "count": 8, "type": "VEC3", "min": [-0.5] * 3, "max": [0.5] * 3},
        {"bufferView": 1, "componentType": component, "normalized": component != 5126, "count": 8, "type": "VEC4"},
        {"bufferView": 2, "componentType": 5123, "count": 36, "type": "SCALAR"},
    ]
    primitive = {"attributes": {"POSITION": 0, "COLOR_0": 1}, "indices": 2}
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}],
        "buffers": [{"byteLength": int(starts[-1])}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": int(start), "byteLength": len(blob)} for start, blob in zip(starts, blobs)
        ],
        "accessors": accessors,
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    data = b"".join(blobs)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(data), 0x004E4942) + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


read = {}
for kind in KINDS:
    scene = trimesh.load(io.BytesIO(glb(kind)), file_type="glb", process=False)
    (mesh,) = scene.geometry.values()
    read[kind] = mesh.visual.vertex_colors[:, 0].astype(int)
    print(f"{kind:8} {read[kind].tolist()}")
meant = np.linspace(0, 255, 8)
assert np.abs(read["bytes"] - meant).max() <= 1 and np.abs(read["floats"] - meant).max() <= 1
assert np.abs(read["16 bits"] - meant).max() > 100, "16-bit colours are read as they are meant now"
assert (read["16 bits"] == (np.linspace(0, 65535, 8).astype(int) & 255)).all(), "they are read in another wrong way"
PY
