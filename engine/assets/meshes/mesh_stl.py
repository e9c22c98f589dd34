"""STL, in bytes or in words. In bytes it is one only if its length says so: any other binary file has a
number at byte 80 too.
"""

from __future__ import annotations

import re
import struct

import numpy as np

from engine.assets.export.ply_rows import numbers_in
from engine.assets.meshes.mesh_shape import GRAY, RawMesh
from engine.assets.meshes.untrusted_files import MAX_FACES, too_many
from engine.errors import FileFormatError

_HEAD, _ROW = 84, 50
_SLACK = 512
"""Bytes after the last face that are forgiven: some programs fill up a block."""

_NUMBER = rb"([-+.\w]+)"
_VERTEX = re.compile(rb"vertex\s+" + rb"\s+".join([_NUMBER] * 3), re.IGNORECASE)


def stl_faces(data: bytes) -> int:
    """How many faces a binary STL announces and holds; 0 if it is none."""
    count = struct.unpack_from("<I", data, _HEAD - 4)[0] if len(data) >= _HEAD else 0
    return (
        count if count and 0 <= len(data) - _HEAD - _ROW * count <= _SLACK and _plausible(data, count) else 0
    )


def _plausible(data: bytes, count: int) -> bool:
    """Whether the numbers are places, and the normals directions or nothing: those of another format are
    neither.
    """
    rows = _rows(data, min(count, 1000))
    with np.errstate(all="ignore"):
        length = np.linalg.norm(rows["normal"].astype(np.float64), axis=1)
        unit = (np.abs(length - 1) < 0.05) | (length < 1e-6) | ~np.isfinite(length)
        exact = len(data) == _HEAD + _ROW * count
        return bool(exact or unit.mean() > 0.9)


def _rows(data: bytes, count: int) -> np.ndarray:
    kind = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("mark", "<u2")])
    return np.frombuffer(data, kind, count, _HEAD)


def is_stl_text(data: bytes) -> bool:
    """Whether it is an STL in words, of any case."""
    start = data[:4096].lstrip().lower()
    return start.startswith(b"solid") and b"facet" in start


def read_stl(data: bytes) -> RawMesh:
    """Every face with corners of its own. Raises `FileFormatError`, or `InputError` if it is too large."""
    count = stl_faces(data) or data.lower().count(b"endfacet")
    if count > MAX_FACES:
        raise too_many("The model", count)
    corners = (
        _rows(data, count)["corners"].reshape(-1, 3).astype(np.float64) if stl_faces(data) else _words(data)
    )
    if not len(corners):
        raise FileFormatError("It holds no triangles.", "Choose a model with a surface.")
    return RawMesh(corners, np.arange(len(corners)).reshape(-1, 3), np.tile(GRAY, (len(corners) // 3, 1)))


def _words(data: bytes) -> np.ndarray:
    numbers = _VERTEX.findall(data)
    if len(numbers) % 3:
        raise FileFormatError("It is damaged: a face has fewer than three corners.", "Save it again.")
    try:
        return numbers_in(b" ".join(part for row in numbers for part in row)).reshape(-1, 3)
    except ValueError as error:
        raise FileFormatError(f"It is damaged ({error}).", "Save it again.") from error
