"""Furniture libraries of Sweet Home 3D (``.sh3f``) as folders of models: a zip of models with a catalogue of
names beside them.

The catalogue is a Java properties file, with keys like ``name#3`` and ``model#3`` for the third thing.
"""

from __future__ import annotations

import re
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.assets.meshes.file_kinds import SUFFIXES
from engine.errors import FileFormatError, InputError, storage_errors

CATALOGUE = "PluginFurnitureCatalog.properties"
MOST_BYTES = 2_000_000_000
"""Of everything in it, unpacked."""

_ENTRY = re.compile(r"\s*(\w+)#(\d+)\s*[=:]\s*(.*)")


@dataclass(frozen=True)
class Furniture:
    """One thing of a catalogue: the path of its ``model`` in the zip, and what is said of it."""

    model: str
    name: str
    creator: str = ""
    licence: str = ""


def catalogue_of(text: str) -> tuple[Furniture, ...]:
    """What a catalogue lists, in order, as far as it has a name and a model."""
    things: dict[int, dict[str, str]] = defaultdict(dict)
    for line in re.sub(r"\\\r?\n\s*", "", text).splitlines():
        entry = _ENTRY.match(line)
        if entry is not None and not line.lstrip().startswith(("#", "!")):
            things[int(entry[2])][entry[1]] = _unescaped(entry[3])
    return tuple(
        Furniture(
            thing["model"].lstrip("/"), thing["name"], thing.get("creator", ""), thing.get("license", "")
        )
        for _, thing in sorted(things.items())
        if thing.get("model") and thing.get("name")
    )


def unpack_furniture(path: Path, folder: Path) -> tuple[int, tuple[str, ...]]:
    """Unpack a library into ``folder``, with each model's name and licence beside it where the shelf looks
    for them.

    Returns how many models the shelf can read, and the names of those it cannot. Raises `FileFormatError`,
    `InputError` if it is too large, `StorageError`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            things = catalogue_of(archive.read(CATALOGUE).decode("latin-1"))
            size = sum(member.file_size for member in archive.infolist())
            if size > MOST_BYTES:
                raise InputError(
                    f"{path} is {size / 1e9:.1f} GB unpacked; at most {MOST_BYTES / 1e9:g} GB are taken.",
                    "Take a smaller library, or unpack what you need of it and name that with --folder.",
                )
            with storage_errors(folder):
                archive.extractall(folder)  # which keeps every member below the folder
    except (KeyError, zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise FileFormatError(
            f"{path} is no furniture library of Sweet Home 3D ({error}).",
            f"It must be a zip with {CATALOGUE} in it.",
        ) from error
    readable = [thing for thing in things if _is_readable(thing, folder)]
    with storage_errors(folder):
        for thing in readable:
            _describe(thing, folder / thing.model)
    return len(readable), tuple(thing.name for thing in things if thing not in readable)


def _is_readable(thing: Furniture, folder: Path) -> bool:
    place = PurePosixPath(thing.model)
    inside = not place.is_absolute() and ".." not in place.parts
    return inside and place.suffix.lower() in SUFFIXES and (folder / thing.model).is_file()


def _describe(thing: Furniture, model: Path) -> None:
    model.with_suffix(".txt").write_text(f"{thing.name}\n", encoding="utf-8")
    licence = ", ".join(part for part in (thing.licence or "unknown", thing.creator) if part)
    (model.parent / "LICENSE.txt").write_text(f"{licence}\n", encoding="utf-8")


def _unescaped(value: str) -> str:
    r"""The value of a properties file: ``\u00e9`` and the like resolved."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), value.strip())
    return re.sub(r"\\(.)", r"\1", text)
