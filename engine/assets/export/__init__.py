"""Finished results as files: splat PLY, GLB mesh, MP4 turntable, PNG contact sheet, each with its recipe
inside.
"""

from __future__ import annotations

import json
import re
import zipfile
from html import unescape
from pathlib import Path

from engine.assets.export import glb, ply, sheet, stills, video
from engine.assets.export.files import read_errors
from engine.errors import FileFormatError

MOST_BYTES = 1 << 20
"""Of a recipe."""

TEXTURE = "0/mesh.png"
"""Where USD's packer puts the texture of a USDZ."""

MODEL = "3D/3dmodel.model"
MODEL_START = 4 << 20
"""Bytes of a 3MF's model in which its metadata stand."""


def of_zip(path: Path | str) -> str:
    """Of an OBJ's archive. Raises `FileFormatError` where there is none."""
    return _entry(path, "recipe.toml", MOST_BYTES).decode("utf-8", "replace")


def of_threemf(path: Path | str) -> str:
    """The description of a 3MF. Raises `FileFormatError` where there is none."""
    start = _entry(path, MODEL, MODEL_START).decode("utf-8", "replace")
    match = re.search(r'<metadata\b[^>]*\bname="Description"[^>]*>(.*?)</metadata>', start, re.S)
    if match is None:
        raise _none(path)
    return unescape(match.group(1))


def of_usdz(path: Path | str) -> str:
    """Of the texture of a USDZ. Raises `FileFormatError` where there is none."""
    recipe = sheet.recipe_in_start(_entry(path, TEXTURE, MOST_BYTES))
    if not recipe:
        raise _none(path)
    return recipe


def of_html(path: Path | str) -> str:
    """Of the viewer's page. Raises `FileFormatError` where there is none."""
    with read_errors(path), open(path, "rb") as file:
        text = file.read(MODEL_START).decode("utf-8", "replace")
    match = re.search(r'<script type="application/json" id="recipe">(.*?)</script>', text, re.S)
    try:
        recipe = json.loads(match.group(1)) if match else ""
    except ValueError:
        recipe = ""
    if not isinstance(recipe, str) or not recipe:
        raise _none(path)
    return recipe


def _entry(path: Path | str, name: str, most: int) -> bytes:
    """The beginning of an archive's entry, however large it says that it is."""
    with read_errors(path):
        try:
            with zipfile.ZipFile(path) as archive, archive.open(name) as entry:
                return entry.read(most)
        except (
            zipfile.BadZipFile,
            KeyError,
            NotImplementedError,
            RuntimeError,
            EOFError,
            ValueError,
        ) as error:
            raise _none(path) from error


def _none(path: Path | str) -> FileFormatError:
    return FileFormatError(f"{path} holds no recipe.", "Choose a file that Maquette exported.")


_READERS = {
    ".ply": ply.read_recipe,
    ".glb": glb.read_recipe,
    ".mp4": video.read_recipe,
    ".png": sheet.read_recipe,
    ".webm": video.read_recipe,
    ".webp": stills.read_recipe,
    ".gif": stills.read_recipe,
    ".zip": of_zip,
    ".3mf": of_threemf,
    ".usdz": of_usdz,
    ".html": of_html,
}


def read_recipe(path: Path | str) -> str:
    """The recipe text inside an exported file. Raises `FileFormatError` if it has none or is of another
    kind.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _READERS:
        raise FileFormatError(
            f"{path} cannot hold a recipe; files that can end in {', '.join(_READERS)}.",
            "Choose such a file.",
        )
    return _READERS[suffix](path)
