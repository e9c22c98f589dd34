"""A splat PLY with other colours and every other byte as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.assets.export.files import atomic_path
from engine.assets.export.ply_rows import read_header
from engine.errors import FileFormatError, storage_errors

COLOURS = tuple(f"f_dc_{k}" for k in range(3))
REST = "f_rest_"


def recolour_ply(source: Path, out: Path, sh0: np.ndarray) -> None:
    """Write ``source`` to ``out`` with the constant harmonics ``sh0`` (N,3); those above, which change with the view, become 0.

    Raises FileFormatError for a PLY that is not plain binary splats of so many rows, StorageError.
    """
    data = bytearray(source.read_bytes())
    try:
        header = read_header(bytes(data[: 1 << 20]))
        vertex = header.elements[0]
        rows = np.frombuffer(data, vertex.dtype(header.order), vertex.count, header.size)
        names = rows.dtype.names or ()
        fits = bool(header.order) and vertex.name == "vertex" and set(COLOURS) <= set(names) and len(rows) == len(sh0)
    except (ValueError, IndexError):
        fits = False
    if not fits:
        raise FileFormatError(
            f"{source} is no plain splat PLY of {len(sh0):,} splats, whose colours could be changed in place.",
            "Convert it first: python -m studio export FILE --format ply.",
        )
    for k, name in enumerate(COLOURS):
        rows[name] = sh0[:, k]
    for name in rows.dtype.names or ():
        if name.startswith(REST):
            rows[name] = 0
    with storage_errors(out), atomic_path(out) as path:
        path.write_bytes(data)
