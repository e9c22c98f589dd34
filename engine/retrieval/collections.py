"""Public collections of models that can be fetched for the shelf: what is in them, and the fetching.

Each is a file ``presets/shelves/NAME.toml``: title, author, licence, page, and the files by path, size,
SHA-256 and words. Hashes are pinned, so that what arrives is what was looked at; an interrupted fetch goes on
where it was.
"""

from __future__ import annotations

import difflib
import shutil
import sys
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from engine.errors import FileFormatError, InputError, MissingError, StorageError, storage_errors
from engine.prior.transfer import transfer
from engine.shipped import presets_folder

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PLACE = "shelves"
"""Folder in the library that holds them, each under its name."""


@dataclass(frozen=True)
class RemoteFile:
    """One file: where it lies in the collection, its ``size`` in bytes and hash, its address, and ``words``
    for what it shows.
    """

    path: str
    size: int
    sha256: str
    url: str
    words: str = ""


@dataclass(frozen=True)
class Collection:
    """What one may fetch; ``licence`` is that of every file."""

    name: str
    title: str
    author: str
    licence: str
    page: str
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(file.size for file in self.files)

    @property
    def models(self) -> int:
        """How many of the files are things of their own."""
        return sum(bool(file.words) for file in self.files)


def collection_names(folder: Path | None = None) -> tuple[str, ...]:
    """Those that can be fetched."""
    return tuple(sorted(path.stem for path in _described(folder).glob("*.toml")))


def find_collection(name: str, folder: Path | None = None) -> Collection:
    """The collection of that name. Raises `InputError` with the nearest ones, or `FileFormatError`."""
    names = collection_names(folder)
    if name not in names:
        near = difflib.get_close_matches(name, names) or names
        raise InputError(f"There is no collection {name!r}.", f"Choose one of {', '.join(near)}.")
    path = _described(folder) / f"{name}.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        files = tuple(
            RemoteFile(_safe(place), int(size), sha256, part["base"] + quote(place), words)
            for part in table["parts"]
            for place, size, sha256, words in part["files"]
        )
        return Collection(name, table["title"], table["author"], table["licence"], table["page"], files)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise FileFormatError(f"{path} does not describe a collection ({error}).", "Restore it.") from error


def missing_files(collection: Collection, folder: Path) -> tuple[RemoteFile, ...]:
    """Those that ``folder`` does not hold yet, or not whole."""
    return tuple(file for file in collection.files if not _is_whole(folder / file.path, file.size))


def fetch_collection(
    collection: Collection, folder: Path, saw: Callable[[int], object] = lambda size: None
) -> None:
    """Fetch what ``folder`` lacks; ``saw`` is told the bytes that are there. What has come stays if it ends
    early.

    Raises `StorageError` before anything is written where there is no room, `MissingError` for what cannot be
    reached or arrived damaged.
    """
    lacking = missing_files(collection, folder)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _check_room(collection, folder, sum(file.size for file in lacking))
        (folder / "LICENSE.txt").write_text(
            f"{collection.licence}\n{collection.title}, by {collection.author}\n{collection.page}\n",
            encoding="utf-8",
        )
    done = collection.size - sum(file.size for file in lacking)
    for file in lacking:
        _fetch(collection, file, folder / file.path, lambda size, before=done: saw(before + size))
        done += file.size


def fetched_in(library: Path) -> tuple[Path, ...]:
    """The folders of the collections that a library holds."""
    place = library.expanduser() / PLACE
    return tuple(sorted(path for path in place.iterdir() if path.is_dir())) if place.is_dir() else ()


def _described(folder: Path | None) -> Path:
    return presets_folder() / PLACE if folder is None else folder


def _fetch(collection: Collection, file: RemoteFile, target: Path, saw: Callable[[int], object]) -> None:
    """One file, what it shows beside it in a text file, and the licence beside that, where the shelf looks
    for both.
    """
    try:
        with storage_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        transfer(file.url, {}, target, file.size, file.sha256, saw)
    except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
        raise MissingError(
            f"{file.url} could not be fetched ({getattr(error, 'reason', error)}).",
            "Check the connection and give the command again: what has come is kept.",
        ) from error
    with storage_errors(target):
        if file.words:
            target.with_suffix(".txt").write_text(f"{file.words}\n", encoding="utf-8")
        (target.parent / "LICENSE.txt").write_text(
            f"{collection.licence}, {collection.author}\n", encoding="utf-8"
        )


def _is_whole(path: Path, size: int) -> bool:
    """Its hash was checked before it got its name, so that its size says it all."""
    return path.is_file() and path.stat().st_size == size


def _check_room(collection: Collection, folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageError(
            f"{collection.title} needs {needed / 1e6:.0f} MB more in {folder}, and {free / 1e6:.0f} MB are "
            "free.",
            "Free some space, or name another --library.",
        )


def _safe(place: str) -> str:
    """A path that stays below its folder. Raises ValueError for any other."""
    path = PurePosixPath(place)
    if path.is_absolute() or ".." in path.parts or "\\" in place:
        raise ValueError(f"{place!r} leads out of the folder")
    return place
