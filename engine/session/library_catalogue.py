"""The library as people see it: runs by their names, found by words, with stars and tags, and a trash they
come back from.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from engine.errors import InputError
from engine.session.label import LABEL, Label, read_label, write_label
from engine.session.library import JOB, SESSIONS, Library, library_errors, read_record, size_of
from engine.session.library_index import NAME, Entry, Found, LibraryIndex, Search
from engine.session.record import ENDED, JobRecord

TRASH, TRASHED = ".trash", "trashed"  # the folder of runs that were thrown away, and the mark in each of when
TOKEN = re.compile(r"[\w-]{1,64}", re.ASCII)


class LibraryCatalogue:
    """Over a `Library`, whose writing it follows. May be used by several threads, and several processes have
    one each.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self.index = LibraryIndex(library.root / SESSIONS / NAME)
        self._labels: dict[str, tuple[str, Label]] = {}  # by token, with the stamp of the file that was read
        library.written = self.put

    def close(self) -> None:
        """Let go of the index."""
        self.index.close()

    # Looking

    def refresh(self) -> int:
        """Compare the index with the folders, which people may have moved by hand; returns how many runs had
        changed.
        """
        return self.index.compare(self._stamps(), self._read)

    def search(self, search: Search) -> Found:
        """Runs, newest first."""
        if self.index.stale:
            self.refresh()
        return self.index.search(search)

    def spare(self, owner: str, size: int) -> tuple[Entry, ...]:
        """What would go first of an owner's to free ``size`` bytes, see `LibraryIndex.spare`."""
        if self.index.stale:
            self.refresh()
        return self.index.spare(owner, ENDED, size)

    def ended(self) -> set[str]:
        """The tokens of runs that have ended, as the index has it after `refresh`."""
        return self.index.tokens(ENDED)

    def ended_record(self, token: str) -> JobRecord | None:
        """The record of a run that has ended; None for any other token, and for one in the trash."""
        entry = self.index.entry(token)
        if (
            entry is None
            or entry.trashed
            or entry.state not in ENDED
            or not (self.library.folder(token) / JOB).is_file()
        ):
            return None
        return self.library.read(token)

    def label(self, token: str) -> Label:
        """What a person wrote on a run."""
        stamp = _stamp(self.folder(token) / LABEL)
        known = self._labels.get(token)
        if known is None or known[0] != stamp:
            known = self._labels[token] = stamp, read_label(self.folder(token))
        return known[1]

    def folder(self, token: str) -> Path:
        """Where a run lies, in the trash or not."""
        trashed = self.library.root / TRASH / token
        return trashed if trashed.is_dir() else self.library.folder(token)

    # Changing

    def put(self, record: JobRecord) -> None:
        """The record of a run was written."""
        self.index.put(self._entry(record, self.library.folder(record.token)))

    def relabel(self, token: str, label: Label) -> None:
        """Write on a run. Raises StorageError."""
        with library_errors(self.folder(token)):
            write_label(self.folder(token), label)
        self.reread(token)

    def trash(self, token: str) -> None:
        """Put a run that nobody is at work in into the trash. Raises StorageError, and then it is where it
        was.
        """
        folder, target = self.library.folder(token), self.library.root / TRASH / token
        with library_errors(folder):
            target.parent.mkdir(exist_ok=True)
            (folder / TRASHED).touch()
            os.replace(folder, target)
        self.reread(token)

    def restore(self, token: str) -> None:
        """Take a run out of the trash. Raises InputError where it is not in there, StorageError."""
        source = self._in_trash(token)
        with library_errors(source):
            os.replace(source, self.library.folder(token))
            (self.library.folder(token) / TRASHED).unlink(missing_ok=True)
        self.reread(token)

    def purge(self, token: str) -> None:
        """Delete a run that is in the trash, for ever. Raises InputError, StorageError."""
        source = self._in_trash(token)
        with library_errors(source):
            (source / JOB).unlink(missing_ok=True)  # then it is no run, whatever happens to the rest
        shutil.rmtree(source, ignore_errors=True)
        self.index.remove([token])

    def forget(self, token: str) -> None:
        """A run was deleted."""
        self._labels.pop(token, None)
        self.index.remove([token])

    def _in_trash(self, token: str) -> Path:
        source = self.library.root / TRASH / token
        if not TOKEN.fullmatch(token) or not (source / JOB).is_file():
            raise InputError("There is no such run in the trash.", "Look for it in the library.")
        return source

    def reread(self, token: str) -> None:
        """Bring the index to what a run's folder holds now."""
        entry = self._read(token)
        if entry is not None:
            self.index.put(entry)

    def _stamps(self) -> dict[str, str]:
        """Of all runs on disk, by token."""
        with library_errors(self.library.root):
            places = [self.library.root, self.library.root / TRASH]
            folders = [each for place in places if place.is_dir() for each in os.scandir(place)]
        stamps = {each.name: _stamp_of(Path(each.path)) for each in folders if TOKEN.fullmatch(each.name)}
        return {token: stamp for token, stamp in stamps.items() if stamp}

    def _read(self, token: str) -> Entry | None:
        folder = self.folder(token)
        return self._entry(read_record(folder), folder) if (folder / JOB).is_file() else None

    def _entry(self, record: JobRecord, folder: Path) -> Entry:
        size = sum(map(size_of, folder.rglob("*"))) if record.state in ENDED else 0
        words = f"{record.settings.spec.prompt} {record.settings.spec.negative_prompt}"
        entry = Entry(record.token, record.owner, record.created, record.state, record.title, words,
            record.progress.total_step,
                      size, trashed=_time_of(folder / TRASHED), stamp=_stamp_of(folder))  # fmt: skip
        entry = replace(entry, client_key=record.client_key)
        return entry.labelled(read_label(folder), record.title)


def _stamp_of(folder: Path) -> str:
    """By what a run's files are recognised; empty for a folder that is none."""
    job = _stamp(folder / JOB)
    return ":".join((job, _stamp(folder / LABEL), _stamp(folder / TRASHED))) if job else ""


def _stamp(path: Path) -> str:
    with suppress(OSError):
        return str(path.stat().st_mtime_ns)
    return ""


def _time_of(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0
