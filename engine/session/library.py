"""The library on disk: one folder a run, named by the run's token, each with a ``job.json``. Only ``remove``
deletes a result.

A job belongs to the process that looks after it. Each process holds a lock on a file of its own, which the
operating system lets go of however the process ends; so a job that says "running" while its process's lock is
free was interrupted. Who reads a record to decide whose job it is holds the lock of the whole library until
the decision is written.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from engine.errors import FileFormatError, StateError, StorageError, storage_errors
from engine.session.record import JobRecord, from_json, to_json, unreadable

JOB, SESSIONS, DECIDING = "job.json", ".sessions", "library.lock"
PARTS = ("*.part", ".*.partial.*")  # what a process that ended in the middle of writing leaves
DECIDE_SECONDS = 30.0


def default_root(environment: Mapping[str, str]) -> Path:
    """The folder that ``MAQUETTE_HOME`` names, or ``~/.local/share/maquette``."""
    named = environment.get("MAQUETTE_HOME")
    return Path(named).expanduser() if named else Path.home() / ".local" / "share" / "maquette"


def new_token() -> str:
    """A name that cannot be guessed: whoever knows it may see the run."""
    return secrets.token_urlsafe(16)


def has_checkpoint(folder: Path) -> bool:
    """Whether a run left something in ``folder`` to go on from."""
    return any(path.suffix != ".part" for path in folder.glob("checkpoint.*"))


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
    """The runs under ``root``, which is made if it is not there. Raises StorageError where that is not
    possible.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        self.session = new_token()
        self._own = self._lock(self.session)
        # hears of every record that was written
        self.written: Callable[[JobRecord], None] = lambda record: None
        self._sizes: dict[str, tuple[int, int]] = {}  # of runs by token: (when the folder changed, bytes)
        with library_errors(self.root):
            (self.root / SESSIONS).mkdir(parents=True, exist_ok=True)
        with self.deciding():
            self._own.acquire()

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """While inside, no other process takes up or gives back a job of this library. Raises
        StorageError.
        """
        with library_errors(self.root):
            try:
                lock = FileLock(self.root / SESSIONS / DECIDING, thread_local=False)
                lock.acquire(timeout=DECIDE_SECONDS)
            except Timeout as error:
                what = (
                    f"Another process has kept the library {self.root} to itself for "
                    f"{DECIDE_SECONDS:.0f} seconds."
                )
                raise StorageError(what, "End it, or choose another --library.") from error
        try:
            yield
        finally:
            lock.release()

    def folder(self, token: str) -> Path:
        """Where a run lives. Only ever called with tokens of known jobs, never with what came from
        outside.
        """
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
        self.written(record)

    def discard(self, token: str) -> None:
        """Forget a run that could not be begun: its folder goes, unless something was written into it."""
        folder = self.folder(token)
        (folder / JOB).with_suffix(".part").unlink(missing_ok=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def remove(self, token: str) -> None:
        """Delete a run that nobody is at work in. Its ``job.json`` goes first: then it is no run. Raises
        StorageError.
        """
        folder = self.folder(token)
        with library_errors(folder):
            (folder / JOB).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        self._sizes.pop(token, None)

    def read_all(self, but: Collection[str] = ()) -> list[JobRecord]:
        """Every run, oldest first, ``but`` those with these tokens; those that cannot be read are there as
        failed.
        """
        with library_errors(self.root):
            folders = [
                path for path in self.root.iterdir() if path.name not in but and (path / JOB).is_file()
            ]
        return sorted((read_record(folder) for folder in folders), key=lambda record: record.created)

    def bytes_of(self, token: str) -> int:
        """How much a run takes on disk. That of a folder which has not changed since it was last asked is
        remembered.
        """
        folder = self.folder(token)
        try:
            changed = folder.stat().st_mtime_ns
        except OSError:
            return 0
        if self._sizes.get(token, (0, 0))[0] != changed:
            self._sizes[token] = changed, sum(map(size_of, folder.rglob("*")))
        return self._sizes[token][1]

    def read(self, token: str) -> JobRecord:
        """A run as it is on disk now, which another process may have changed."""
        return read_record(self.folder(token))

    def is_alive(self, session: str) -> bool:
        """Whether the process with this session id is still there."""
        if session == self.session or not session or not self._lock_path(session).is_file():
            return session == self.session
        lock = self._lock(session)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        self._lock_path(session).unlink(missing_ok=True)
        return False

    def check_free(self, record: JobRecord) -> None:
        """Raises StateError if another living process looks after a job. Only to be relied on while
        ``deciding``.
        """
        if record.session != self.session and self.is_alive(record.session):
            raise StateError(
                "Another Maquette that uses this library looks after this run.",
                "Steer it there, or end that one.",
            )

    def others(self) -> int:
        """How many other living processes use this library; locks that dead ones left are cleared away."""
        sessions = [path.stem for path in (self.root / SESSIONS).glob("*.lock") if path.name != DECIDING]
        return sum(self.is_alive(session) for session in sessions if session != self.session)

    def clear_away(self, record: JobRecord) -> None:
        """Remove what was only half written into a run's folder, which nobody may be at work in."""
        for part in (path for pattern in PARTS for path in self.folder(record.token).glob(pattern)):
            with suppress(OSError):
                part.unlink()

    def close(self) -> None:
        """Say that this process is done with its jobs."""
        self._own.release()
        self._lock_path(self.session).unlink(missing_ok=True)

    def _lock(self, session: str) -> FileLock:
        return FileLock(self._lock_path(session), thread_local=False)

    def _lock_path(self, session: str) -> Path:
        return self.root / SESSIONS / f"{session}.lock"


def size_of(path: Path) -> int:
    """Bytes of a file; 0 for what is none, or has just been replaced."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def read_record(folder: Path) -> JobRecord:
    """That of the run in a folder, or what stands for one that cannot be read."""
    path, text, created = folder / JOB, "", 0.0
    try:
        created = path.stat().st_mtime
        text = path.read_text(encoding="utf-8")
        record = from_json(text)
        if record.token != folder.name:
            raise FileFormatError(f"It belongs to another run, {record.token!r}.")
        return record
    except Exception as error:  # one bad file, whatever is wrong with it, keeps nobody from the other runs
        return unreadable(folder.name, text, created, f"{path} cannot be read. {error}")
