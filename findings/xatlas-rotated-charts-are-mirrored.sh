#!/usr/bin/env bash
# xatlas 0.0.11 (its wheel, CPython 3.11) with its default PackOptions.
#
# Good guess: rotate_charts turns a chart in the plane, which keeps its winding; and ChartOptions.fix_winding gives every chart the
#   winding of its faces.
# Seen: a chart that the packer turns has u and v swapped, which mirrors it. About a fifth of the faces of a torus wind the other way in
#   UV than in 3D, with fix_winding, too; normal maps and text on them are mirrored. rotate_charts=False with fix_winding=True
#   leaves none.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "xatlas==0.0.11" "numpy<3"
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import xatlas

ROUND, TUBE = 48, 24


def torus() -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N,3) and faces (F,3), wound so that normals point outwards."""
    u, v = np.meshgrid(np.arange(ROUND) * 2 * np.pi / ROUND, np.arange(TUBE) * 2 * np.pi / TUBE, indexing="ij")
    ring = 1 + 0.4 * np.cos(v)
    vertices = np.stack([ring * np.cos(u), ring * np.sin(u), 0.4 * np.sin(v)], -1).reshape(-1, 3)
    index = np.arange(ROUND * TUBE).reshape(ROUND, TUBE)
    a, b, c, d = index, np.roll(index, -1, 0), np.roll(index, (-1, -1), (0, 1)), np.roll(index, -1, 1)
    return vertices, np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])


def mirrored(rotate: bool, fix: bool) -> float:
    """The share of faces whose UV triangle winds the other way than most."""
    vertices, faces = torus()
    atlas = xatlas.Atlas()
    atlas.add_mesh(vertices.astype(np.float32), faces.astype(np.uint32))
    charts, packing = xatlas.ChartOptions(), xatlas.PackOptions()
    charts.fix_winding, packing.rotate_charts = fix, rotate
    atlas.generate(chart_options=charts, pack_options=packing)
    _, indices, uv = atlas[0]
    a, b, c = (uv[indices[:, k]].astype(np.float64) for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    return float(min((area > 0).mean(), (area < 0).mean()))


shares = {(rotate, fix): mirrored(rotate, fix) for rotate in (True, False) for fix in (True, False)}
for (rotate, fix), share in shares.items():
    print(f"rotate_charts={rotate!s:5} fix_winding={fix!s:5} mirrored faces: {share:.0%}")
assert xatlas.PackOptions().rotate_charts, "the default changed"
assert shares[True, True] > 0.05 and shares[False, True] == 0.0, "it changed"
PY
