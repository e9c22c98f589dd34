"""Recipes of exports that are archives or pages: ZIP with a ``recipe.toml``, 3MF with a description, HTML with data."""

from __future__ import annotations

import json
import re
import zipfile
from html import unescape
from pathlib import Path

from engine.assets.export.files import read_errors
from engine.errors import FileFormatError

MOST_BYTES = 1 << 20
"""Of a recipe."""

MODEL = "3D/3dmodel.model"
MODEL_START = 4 << 20
"""Bytes of a 3MF's model in which its metadata stand."""


def of_zip(path: Path | str) -> str:
    """Of an OBJ's archive. Raises `FileFormatError` where there is none."""
    return _entry(path, "recipe.toml", MOST_BYTES).decode("utf-8", "replace")


def of_threemf(path: Path | str) -> str:
    """The description of a 3MF. Raises `FileFormatError` where there is none."""
    start = _entry(path, MODEL, MODEL_START).decode("utf-8", "replace")
    found = re.search(r'<metadata\b[^>]*\bname="Description"[^>]*>(.*?)</metadata>', start, re.S)
    if found is None:
        raise _none(path)
    return unescape(found.group(1))


def of_html(path: Path | str) -> str:
    """Of the viewer's page. Raises `FileFormatError` where there is none."""
    with read_errors(path), open(path, "rb") as file:
        text = file.read(MODEL_START).decode("utf-8", "replace")
    found = re.search(r'<script type="application/json" id="recipe">(.*?)</script>', text, re.S)
    try:
        recipe = json.loads(found.group(1)) if found else ""
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
        except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
            raise _none(path) from error


def _none(path: Path | str) -> FileFormatError:
    return FileFormatError(f"{path} holds no recipe.", "Choose a file that Maquette exported.")
