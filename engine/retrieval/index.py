"""The index of a folder of models: each file is read and embedded once, and again only when it changes.

What is kept lies in the cache folder, never among the user's files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from engine.assets.export.files import atomic_path
from engine.assets.meshes.file_kinds import SUFFIXES
from engine.assets.meshes.mesh_file import read_reference
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.errors import InputError, MissingError, StudioError

MAX_MODELS = 2_000
MAX_DEPTH = 6
_FORMAT = 2

Report = Callable[[int, int], None]
Embed = Callable[[ReferenceShape], np.ndarray]


@dataclass(frozen=True)
class Record:
    """What is known of one file: its stamp and digest, what it says of itself, or the ``reason`` why it
    cannot be read.
    """

    name: str
    size: int
    changed_ns: int
    digest: str = ""
    title: str = ""
    author: str = ""
    licence: str = ""
    source: str = ""
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Index:
    """Records of N files and the embeddings (N,V,D) of their pictures; zeros for those that cannot be
    read.
    """

    records: tuple[Record, ...]
    views: np.ndarray


def _nothing() -> Index:
    return Index((), np.zeros((0, 1, 1), np.float32))


def models_in(folder: Path) -> list[Path]:
    """The model files in a folder and below it, sorted, links and hidden ones left out. Raises
    `MissingError`, `InputError`.
    """
    if not folder.is_dir():
        raise MissingError(
            f"The folder of models {folder} is not there.", "Give a folder with GLB, OBJ, PLY or STL files."
        )
    models = sorted(_walk(folder, MAX_DEPTH))
    if len(models) > MAX_MODELS:
        raise InputError(
            f"{folder} holds {len(models):,} models; at most {MAX_MODELS:,} are indexed.",
            "Give a smaller folder.",
        )
    return models


def indexed(
    files: Sequence[Path],
    root: Path,
    cache: Path,
    key: str,
    embed: Embed,
    report: Report = lambda done, of: None,
) -> Index:
    """The index of ``files`` below ``root``, refreshed. ``key`` names how they are embedded, ``embed`` does
    it for new shapes.

    Unreadable files are recorded with their reason. Raises `StorageError` where the cache cannot be written.
    """
    place = cache / f"{hashlib.sha256(f'{root.resolve()}|{key}'.encode()).hexdigest()[:20]}.npz"
    old = _load(place)
    by_name = {record.name: k for k, record in enumerate(old.records)}
    by_digest = {record.digest: k for k, record in enumerate(old.records) if record.digest}
    records, views, fresh = [], [], False
    for number, path in enumerate(files):
        record, at = _looked_up(path, root, old, by_name, by_digest)
        known = None if at is None else old.views[at]
        if at is None:
            record, known = _taken_in(path, record, embed)
        fresh |= at is None or old.records[at] != record
        records.append(record)
        views.append(known)
        report(number + 1, len(files))
    index = Index(tuple(records), _stacked(views))
    if fresh or len(records) != len(old.records):
        _save(place, index)
    return index


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:  # a folder that may not be entered holds nothing for us
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        if entry.is_dir() and depth:
            yield from _walk(Path(entry.path), depth - 1)
        elif (
            entry.is_file()
            and Path(entry.name).suffix.lower() in SUFFIXES
            and not entry.name.lower().endswith(".zip")
        ):
            yield Path(entry.path)


def _looked_up(
    path: Path, root: Path, old: Index, by_name: dict[str, int], by_digest: dict[str, int]
) -> tuple[Record, int | None]:
    """The file's record as it is now, and where its embeddings are in the old index; None if it is new or has
    changed.
    """
    name, at = path.relative_to(root).as_posix(), None
    try:
        stat = path.stat()
        record = Record(name, stat.st_size, stat.st_mtime_ns)
        at = by_name.get(name)
        if at is not None and (old.records[at].size, old.records[at].changed_ns) == (
            stat.st_size,
            stat.st_mtime_ns,
        ):
            return old.records[at], at
        with path.open("rb") as file:
            digest = _digest(file)
    except OSError as error:
        return Record(name, 0, 0, reason=f"It cannot be opened ({error.strerror})."), None
    at = by_digest.get(digest)
    known = old.records[at] if at is not None else record
    return replace(known, name=name, size=record.size, changed_ns=record.changed_ns, digest=digest), at


def _digest(file: BinaryIO) -> str:
    total = hashlib.sha256()
    for part in iter(lambda: file.read(1 << 20), b""):
        total.update(part)
    return total.hexdigest()


def _taken_in(path: Path, record: Record, embed: Embed) -> tuple[Record, np.ndarray | None]:
    """Read and embed a new file, or say why not."""
    if record.reason:
        return record, None
    try:
        shape = read_reference(path)
        return replace(record, **asdict(shape.facts)), embed(shape)
    except StudioError as error:
        return replace(record, reason=str(error)), None


def _stacked(views: Sequence[np.ndarray | None]) -> np.ndarray:
    like = next((view for view in views if view is not None and view.any()), np.zeros((1, 1), np.float32))
    if not views:
        return np.zeros((0, *like.shape), np.float32)
    return np.stack(
        [view if view is not None and view.shape == like.shape else np.zeros_like(like) for view in views]
    )


def _load(place: Path) -> Index:
    """What was kept; nothing if there is none, or it cannot be read."""
    try:
        with np.load(place, allow_pickle=False) as kept:
            document = json.loads(str(kept["records"]))
            records = tuple(Record(**record) for record in document["records"])
            views = kept["views"].astype(np.float32)
        whole = document["format"] == _FORMAT and len(views) == len(records) and views.ndim == 3
        return Index(records, views) if whole else _nothing()
    except Exception:  # a damaged cache is made anew, whatever is wrong with it
        return _nothing()


def _save(place: Path, index: Index) -> None:
    text = json.dumps({"format": _FORMAT, "records": [asdict(record) for record in index.records]})
    with atomic_path(place) as partial:
        np.savez_compressed(partial, records=np.array(text), views=index.views.astype(np.float16))
