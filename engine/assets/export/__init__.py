"""Finished results as files: splat PLY, GLB mesh, MP4 turntable, PNG contact sheet, each with its recipe inside."""

from __future__ import annotations

from pathlib import Path

from engine.assets.export import glb, packed_recipes, ply, sheet, stills, video
from engine.errors import FileFormatError

_READERS = {
    ".ply": ply.read_recipe,
    ".glb": glb.read_recipe,
    ".mp4": video.read_recipe,
    ".png": sheet.read_recipe,
    ".webm": video.read_recipe,
    ".webp": stills.read_recipe,
    ".gif": stills.read_recipe,
    ".zip": packed_recipes.of_zip,
    ".3mf": packed_recipes.of_threemf,
    ".html": packed_recipes.of_html,
}


def read_recipe(path: Path | str) -> str:
    """The recipe text inside an exported file. Raises `FileFormatError` if it has none or is of another kind."""
    suffix = Path(path).suffix.lower()
    if suffix not in _READERS:
        raise FileFormatError(f"{path} cannot hold a recipe; files that can end in {', '.join(_READERS)}.", "Choose such a file.")
    return _READERS[suffix](path)
