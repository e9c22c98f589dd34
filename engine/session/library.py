"""The library on disk: one folder a run, named by the run's token, each with a ``job.json``. Nothing here deletes a result.

A job belongs to the process that looks after it. Each process holds a lock on a file of its own, which the operating system lets
go of however the process ends; so a job that says "running" while its process's lock is free was interrupted.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from engine.errors import FileFormatError, StorageError, storage_errors
from engine.session.filelock import FileLock
from engine.session.record import JobRecord, from_json, to_json, unreadable

JOB, SESSIONS = "job.json", ".sessions"


def default_root(environment: Mapping[str, str]) -> Path:
    """The folder that ``MAQUETTE_HOME`` names, or ``~/.local/share/maquette``."""
    named = environment.get("MAQUETTE_HOME")
    return Path(named).expanduser() if named else Path.home() / ".local" / "share" / "maquette"


def new_token() -> str:
    """A name that cannot be guessed: whoever knows it may see the run."""
    return secrets.token_urlsafe(16)


def has_checkpoint(folder: Path) -> bool:
    """Whether a run left something in ``folder`` to go on from."""
    return any(folder.glob("checkpoint.*"))


@contextmanager
def library_errors(path: Path) -> Iterator[None]:
    """Turn refusals to write into the library into a StorageError with a remedy that fits."""
    try:
        with storage_errors(path):
            yield
    except StorageError as error:
        remedy = "Free some space, or set MAQUETTE_HOME to a folder that you may write to."
        raise StorageError(error.what, remedy) from error


class Library:
    """The runs under ``root``, which is made if it is not there. Raises StorageError where that is not possible."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        self.session = new_token()
        self._own = FileLock(self._lock_path(self.session))
        with library_errors(self.root):
            (self.root / SESSIONS).mkdir(parents=True, exist_ok=True)
            self._own.acquire()

    def folder(self, token: str) -> Path:
        """Where a run lives. Only ever called with tokens of known jobs, never with what came from outside."""
        return self.root / token

    def write(self, record: JobRecord) -> None:
        """Write ``job.json`` so that a crash leaves either the old or the new one. Raises StorageError."""
        target = self.folder(record.token) / JOB
        temporary = target.with_suffix(".part")
        with library_errors(target):
            target.parent.mkdir(exist_ok=True)
            with temporary.open("w", encoding="utf-8") as file:
                file.write(to_json(record))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)

    def discard(self, token: str) -> None:
        """Forget a run that could not be begun: its folder goes, unless something was written into it."""
        folder = self.folder(token)
        (folder / JOB).with_suffix(".part").unlink(missing_ok=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def read_all(self) -> list[JobRecord]:
        """Every run, oldest first; those that cannot be read are there as failed."""
        with library_errors(self.root):
            folders = [path for path in self.root.iterdir() if (path / JOB).is_file()]
        return sorted((_read(folder) for folder in folders), key=lambda record: record.created)

    def is_alive(self, session: str) -> bool:
        """Whether the process with this session id is still there."""
        path = self._lock_path(session)
        if session == self.session or not session or not path.is_file():
            return session == self.session
        lock = FileLock(path)
        if not lock.try_acquire():
            return True
        lock.release()
        path.unlink(missing_ok=True)
        return False

    def close(self) -> None:
        """Say that this process is done with its jobs."""
        self._own.release()
        self._lock_path(self.session).unlink(missing_ok=True)

    def _lock_path(self, session: str) -> Path:
        return self.root / SESSIONS / f"{session}.lock"


def _read(folder: Path) -> JobRecord:
    path, text = folder / JOB, ""
    try:
        text = path.read_text(encoding="utf-8")
        record = from_json(text)
        if record.token != folder.name:
            raise FileFormatError(f"It belongs to another run, {record.token!r}.")
        return record
    except (OSError, UnicodeDecodeError, FileFormatError) as error:
        return unreadable(folder.name, text, path.stat().st_mtime, f"{path} cannot be read. {error}")
