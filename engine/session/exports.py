"""Finished runs in other formats: made when they are asked for, one after the other, and kept in the run's
folder.

Each format has one file, which the next export to it takes the place of; what is half written when a process
ends is none.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Protocol

import numpy as np
from PIL import Image

from engine.assets.export.files import atomic_path
from engine.assets.export.formats import export_formats
from engine.assets.export.formats.base import ExportFormat, ExportOptions
from engine.assets.export.option_values import values_of
from engine.errors import InputError, LimitError, StateError, StudioError, storage_errors
from engine.session.limits import GIBIBYTE
from engine.session.record import ENDED
from engine.session.session import Session

FOLDER, LISTING, PICTURE = "exports", "exports.json", "jpg"
MOST_WAITING = 12
QUALITY = 88


class Written(Protocol):
    """What the engine tells of an export, see ``engine.loop.exporting``."""

    path: Path
    notes: tuple[str, ...]
    picture: np.ndarray | None


Write = Callable[[Path, str, ExportOptions, Path], Written]


@dataclass(frozen=True)
class Export:
    """One export of a run by its format's ``key``: the ``file`` in the run's folder of exports and its size,
    ``notes`` on what differs from the viewport, whether there is a ``picture``, and the options that were not
    as usual.
    """

    key: str
    state: Literal["waiting", "writing", "done", "failed"] = "waiting"
    file: str = ""
    bytes: int = 0
    notes: tuple[str, ...] = ()
    picture: bool = False
    error: tuple[str, str] | None = None
    seconds: float = 0.0
    options: Mapping[str, Any] | None = None


class Exports:
    """The exports of a session's runs, by token. InputError for an unknown run."""

    def __init__(self, session: Session, write: Write) -> None:
        self._session, self._write = session, write
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="exports")
        self._lock = Lock()
        self._going: dict[tuple[str, str], Export] = {}  # those that wait, are written, or have failed

    def close(self) -> None:
        """Begin no more of them."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def begin(self, token: str, key: str, options: ExportOptions) -> None:
        """Export a run that has ended. Raises InputError where that cannot be, LimitError where too many
        wait.
        """
        folder, chosen = self.source(token), _format(key)
        chosen.check()
        self._check_share(token)
        with self._lock:
            going = [each for each in self._going.values() if each.state in ("waiting", "writing")]
            if len(going) >= MOST_WAITING:
                raise LimitError(f"{len(going)} exports wait already.", "Wait until one is done.")
            if any(each is self._going.get((token, key)) for each in going):
                raise StateError(f"{chosen.title} is being written.", "Wait until it is done.")
            self._going[token, key] = Export(key, options=values_of(options))
        self._pool.submit(self._work, token, folder, chosen, options)

    def _check_share(self, token: str) -> None:
        owner, most = self._session.runs.owner(token), self._session.limits.bytes_per_owner
        if self._session.runs.indexed_bytes(owner) > most:
            what = (
                f"Your runs take more than {most / GIBIBYTE:.0f} GiB on disk, which is as much as one "
                "person may have."
            )
            raise LimitError(what, "Delete runs that you need no more, and empty the trash.")

    def listing(self, token: str) -> list[Export]:
        """All of a run's, those that are there and those that are being made."""
        known = {each.key: each for each in _read(self._folder(token))}
        with self._lock:
            known |= {key: each for (whose, key), each in self._going.items() if whose == token}
        return list(known.values())

    def file(self, token: str, key: str) -> Path:
        """The file of an export that is done. Raises InputError where there is none."""
        return self._one(token, key, lambda export: export.file)

    def picture(self, token: str, key: str) -> Path:
        """The viewport beside what was read from the file again."""
        return self._one(token, key, lambda export: f"{export.key}.{PICTURE}")

    def source(self, token: str) -> Path:
        """The folder of a run that can be exported. Raises InputError for one that has not ended, or that
        left no shape.
        """
        view = self._session.view(token)
        if view.state not in ENDED:
            raise StateError(
                "This run has not ended, so there is nothing to export yet.",
                "Wait, or press Stop to keep what is there.",
            )
        if not any(path.suffix in (".ply", ".glb") and path.is_file() for path in view.files.values()):
            raise InputError("This run left no shape to export.", "Choose one that is done.")
        return self._session.library.folder(token)

    def _one(self, token: str, key: str, name: Callable[[Export], str]) -> Path:
        folder = self._folder(token)
        path = next((folder / name(each) for each in _read(folder) if each.key == key), None)
        if path is None or not path.is_file():
            raise InputError("There is no such export.", "Export it again.")
        return path

    def _folder(self, token: str) -> Path:
        self._session.view(token)
        return self._session.library.folder(token) / FOLDER

    def _work(self, token: str, source: Path, chosen: ExportFormat, options: ExportOptions) -> None:
        key = next(key for key, each in export_formats().items() if each == chosen)
        self._set(token, key, state="writing")
        began = time.monotonic()
        try:
            done = self._made(source, key, chosen, options)
        except StudioError as error:
            self._set(token, key, state="failed", error=(error.what, error.remedy))
        except Exception as error:  # one that cannot be written keeps nobody from the next
            what = f"{chosen.title} could not be written ({type(error).__name__}: {error})."
            self._set(token, key, state="failed", error=(what, "Try another format."))
        else:
            _add(source / FOLDER, replace(done, seconds=round(time.monotonic() - began, 2)))
            with self._lock:
                self._going.pop((token, key), None)
            self._session.runs.changed_on_disk(token)

    def _made(self, source: Path, key: str, chosen: ExportFormat, options: ExportOptions) -> Export:
        folder = source / FOLDER
        with storage_errors(folder):
            folder.mkdir(exist_ok=True)
        path = folder / f"{key}{chosen.suffix}"
        written = self._write(source, key, options, path)
        if written.picture is not None:
            with atomic_path(folder / f"{key}.{PICTURE}") as partial:
                Image.fromarray(written.picture).save(partial, "JPEG", quality=QUALITY)
        return Export(key, "done", path.name, path.stat().st_size, written.notes, written.picture is not None,
                      options=values_of(options))  # fmt: skip

    def _set(self, token: str, key: str, **values: Any) -> None:
        with self._lock:
            if (token, key) in self._going:
                self._going[token, key] = replace(self._going[token, key], **values)


def _format(key: str) -> ExportFormat:
    format_ = export_formats().get(key)
    if format_ is None:
        raise InputError(f"There is no format {key!r:.60}.", f"Choose among: {', '.join(export_formats())}.")
    return format_


def _read(folder: Path) -> list[Export]:
    """What is kept in a folder, of which files may have been taken away by hand."""
    with suppress(OSError, ValueError, TypeError, RecursionError):
        kept = [Export(**each) for each in json.loads((folder / LISTING).read_text(encoding="utf-8"))]
        return [
            replace(each, notes=tuple(each.notes))
            for each in kept
            if (folder / Path(each.file).name).is_file()
        ]
    return []


def _add(folder: Path, export: Export) -> None:
    kept = [each for each in _read(folder) if each.key != export.key]
    with suppress(StudioError), atomic_path(folder / LISTING) as partial:
        partial.write_text(
            json.dumps([asdict(each) for each in (*kept, export)], ensure_ascii=False), encoding="utf-8"
        )
    with suppress(OSError):
        os.utime(folder.parent)  # so that what the run takes on disk is counted anew
