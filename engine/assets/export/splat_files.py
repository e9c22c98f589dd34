"""Splat files of whatever kind: PLY and ``.splat`` by readers of our own, SPZ, SOG and ksplat by a library
where it is there.
"""

from __future__ import annotations

import importlib.util
from io import BytesIO
from pathlib import Path
from typing import Any

from engine.assets.export.files import read_errors
from engine.assets.export.ply import MAX_SPLATS, read_splat_ply, splats_in
from engine.assets.export.splat_cloud import SplatCloud
from engine.assets.export.splat_packed import SPLAT_ROW, rows_of_splat
from engine.assets.export.splat_rows import cloud_of
from engine.errors import FileFormatError

BY_LIBRARY = (".spz", ".sog", ".ksplat")
SUFFIXES = (".splat", *BY_LIBRARY)
"""Of splat files that are no PLY."""

MAX_PACKED_BYTES = 200_000_000


def read_splats(path: Path | str, most: int = MAX_SPLATS) -> SplatCloud:
    """The splats of a file. Raises as `read_splat_ply`, and `FileFormatError` for a kind whose package is not
    here.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".splat":
        return _read_splat(path, most)
    return _by_library(path, suffix[1:], most) if suffix in BY_LIBRARY else read_splat_ply(path, most)


def _read_splat(path: Path | str, most: int) -> SplatCloud:
    with read_errors(path):
        count = Path(path).stat().st_size // SPLAT_ROW.itemsize
        _check_count(path, count, most)
        data = Path(path).read_bytes()
    try:
        rows = rows_of_splat(data)
    except ValueError as error:
        raise FileFormatError(f"{path} is no .splat file: {error}.", "Save it again, or as PLY.") from error
    return cloud_of(path, rows)


def _check_count(path: Path | str, count: int, most: int) -> None:
    if count > most:
        what = f"{path} holds {count:,} splats; at most {most:,} can be used here."
        raise FileFormatError(what, "Choose a smaller file, or thin this one out in a splat editor.")


def _by_library(path: Path | str, kind: str, most: int) -> SplatCloud:
    """By way of PLY, which GaussForge (Apache-2.0) converts to; the extra ``splats`` installs it."""
    if importlib.util.find_spec("gaussforge") is None:
        raise FileFormatError(
            f"{path} is a {kind.upper()} file, which needs a package that is not installed.",
            "Install it with pip install 'maquette[splats]', or save the splats as PLY (SuperSplat: "
            "Export, PLY).",
        )
    import gaussforge

    with read_errors(path):
        size = Path(path).stat().st_size
        if size > MAX_PACKED_BYTES:
            raise FileFormatError(
                f"{path} has {size / 1e6:,.0f} MB; packed splats may have 200 MB.", "Thin it out."
            )
        data = Path(path).read_bytes()
    try:
        converted: dict[str, Any] = gaussforge.GaussForge().convert(data, kind, "ply")
    except Exception as error:  # the library raises whatever the damage leads to
        converted = {"error": error}
    if "error" not in converted and not converted["data"].startswith(b"ply"):
        converted = {"error": "nothing was found in it"}
    if "error" in converted:
        raise FileFormatError(
            f"{path} is damaged, or no {kind.upper()} file ({converted['error']}).", "Save it again."
        )
    return splats_in(BytesIO(converted["data"]), path, most)
