#!/usr/bin/env bash
# lib3mf 2.5.0 (its wheel) under a UTF-8 locale.
#
# Good guess: writing a 3MF changes nothing but the file.
# Seen: WriteToFile sets the locale of the whole process to "C" and leaves it so. From then on Python decodes text files and the
#   output of subprocesses as ASCII wherever no encoding is named, in code that has nothing to do with 3MF.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "lib3mf==2.5.0"
cd "$folder"
LC_ALL=C.UTF-8 "$folder/venv/bin/python" - <<'PY'
import locale

import lib3mf
from lib3mf import Lib3MF

model = lib3mf.get_wrapper().CreateModel()
mesh = model.AddMeshObject()
corners = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
for corner in corners:
    position = Lib3MF.Position()
    position.Coordinates[:] = corner
    mesh.AddVertex(position)
for face in ((0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)):
    triangle = Lib3MF.Triangle()
    triangle.Indices[:] = face
    mesh.AddTriangle(triangle)
before = locale.setlocale(locale.LC_CTYPE)
model.QueryWriter("3mf").WriteToFile("tetrahedron.3mf")
after = locale.setlocale(locale.LC_CTYPE)
print("LC_CTYPE before:", before, " after:", after)
assert (before, after) == ("C.UTF-8", "C"), "it changed"
PY
