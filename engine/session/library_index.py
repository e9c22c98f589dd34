"""An index of the library, so that thousands of runs are searched at once: SQLite in its folder, beside the
runs.

It holds nothing that the folders do not hold: where it is missing or broken it is made anew from them.
Several processes write to it (write-ahead log); what one of them cannot write, another one finds when it
compares the index with the folders.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from engine.session.label import Label

NAME, VERSION = "library.sqlite", 2
PATIENCE_SECONDS = 10.0
COLUMNS = ("token", "owner", "created", "state", "title", "words", "step", "bytes",
           "starred", "tags", "notes", "trashed", "stamp", "client_key")  # fmt: skip
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS runs ({", ".join(COLUMNS)}, found, PRIMARY KEY (token)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS newest ON runs (owner, trashed, created);
PRAGMA user_version = {VERSION};
"""


@dataclass(frozen=True)
class Entry:
    """A run as the index has it. ``words`` are its prompt, ``trashed`` when it was put into the trash (0: it
    was not), ``stamp`` by what its files are recognised as those that were read.
    """

    token: str
    owner: str
    created: float
    state: str
    title: str
    words: str = ""
    step: int = 0
    bytes: int = 0
    starred: bool = False
    tags: tuple[str, ...] = ()
    notes: str = ""
    trashed: float = 0.0
    stamp: str = ""
    client_key: str = ""

    def labelled(self, label: Label, title: str) -> Entry:
        """With what a person wrote on it; ``title`` is that of a run without a name."""
        return replace(
            self, title=label.name or title, starred=label.starred, tags=label.tags, notes=label.notes
        )


@dataclass(frozen=True)
class Search:
    """Which runs: of ``owner`` (None: of anybody), with all of ``words`` in their title, words, tags or
    notes.
    """

    owner: str | None = None
    words: str = ""
    starred: bool = False
    trashed: bool = False
    first: int = 0
    most: int = 60


@dataclass(frozen=True)
class Found:
    """The ``entries`` that were asked for, newest first, of ``count``; ``bytes`` is what all of these take on
    disk.
    """

    entries: tuple[Entry, ...]
    count: int
    bytes: int


class LibraryIndex:
    """The index at ``path``; may be used by several threads. A disk that takes nothing raises nothing: it is
    only an index.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._lock = path, threading.RLock()
        self.stale = True  # until it has been compared with the folders
        self._connection = self._opened()

    def _opened(self) -> sqlite3.Connection:
        """The database, or a new one in place of one that is broken; one in memory where none can be
        written.
        """
        for attempt in range(2):
            try:
                return _connected(self.path)
            except sqlite3.OperationalError:
                break  # it cannot be opened or written here
            except sqlite3.DatabaseError:
                if attempt == 0:
                    _forget(self.path)
        return _connected(":memory:")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def put(self, entry: Entry) -> None:
        """Add or replace a run."""
        self.put_all([entry])

    def put_all(self, entries: Iterable[Entry]) -> None:
        """Add or replace runs in one go."""
        marks = ", ".join("?" * (len(COLUMNS) + 1))
        with self._writing() as connection:
            connection.executemany(f"REPLACE INTO runs VALUES ({marks})", map(_row, entries))

    def remove(self, tokens: Iterable[str]) -> None:
        """Forget runs."""
        with self._writing() as connection:
            connection.executemany("DELETE FROM runs WHERE token = ?", [(token,) for token in tokens])

    def stamps(self) -> dict[str, str]:
        """By what each run's files were recognised."""
        with self._reading() as connection:
            return dict(connection.execute("SELECT token, stamp FROM runs"))

    def search(self, search: Search) -> Found:
        """Runs, newest first; those in the trash by when they were put there."""
        where, values = _where(search)
        order = "trashed" if search.trashed else "created"
        with self._reading() as connection:
            count, size = connection.execute(
                f"SELECT COUNT(*), TOTAL(bytes) FROM runs WHERE {where}", values
            ).fetchone()
            rows = connection.execute(
                f"SELECT {', '.join(COLUMNS)} FROM runs WHERE {where} ORDER BY {order} DESC LIMIT ? OFFSET ?",
                [*values, search.most, search.first],
            ).fetchall()
        return Found(tuple(map(_entry, rows)), count, int(size))

    def spare(self, owner: str, states: Collection[str], size: int) -> tuple[Entry, ...]:
        """An owner's trash, and then the runs in these states without a star, oldest first: as many as hold
        ``size`` bytes.
        """
        names, order = ", ".join(COLUMNS), "trashed = 0, trashed, created, token"
        sums = f"TOTAL(bytes) OVER (ORDER BY {order} ROWS UNBOUNDED PRECEDING) - bytes AS before"
        among = f"owner = ? AND (trashed OR (NOT starred AND state IN ({', '.join('?' * len(states))})))"
        rows = (
            f"SELECT {names} FROM (SELECT *, {sums} FROM runs WHERE {among}) WHERE before < ? ORDER "
            f"BY {order}"
        )
        with self._reading() as connection:
            return tuple(map(_entry, connection.execute(rows, [owner, *states, size]).fetchall()))

    def entry(self, token: str) -> Entry | None:
        """One run."""
        with self._reading() as connection:
            row = connection.execute(
                f"SELECT {', '.join(COLUMNS)} FROM runs WHERE token = ?", [token]
            ).fetchone()
        return None if row is None else _entry(row)

    def tokens(self, states: Collection[str]) -> set[str]:
        """Of all runs in these states that are not in the trash."""
        query = f"SELECT token FROM runs WHERE NOT trashed AND state IN ({', '.join('?' * len(states))})"
        with self._reading() as connection:
            return {token for (token,) in connection.execute(query, [*states])}

    def keyed(self, owner: str, client_key: str) -> str:
        """The token of what an owner has submitted under a key; empty where there is none."""
        query = "SELECT token FROM runs WHERE owner = ? AND client_key = ? AND NOT trashed"
        with self._reading() as connection:
            row = connection.execute(query, [owner, client_key]).fetchone()
        return "" if row is None else row[0]

    def compare(self, stamps: dict[str, str], read: Callable[[str], Entry | None]) -> int:
        """Bring the index to what the folders hold, by token and stamp; only what has changed is read.
        Returns how many were.
        """
        known = self.stamps()
        changed = [token for token, stamp in stamps.items() if known.get(token) != stamp]
        self.put_all([entry for token in changed if (entry := read(token)) is not None])
        self.remove(set(known) - set(stamps))
        self.stale = False
        return len(changed)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with (
            self._lock,
            suppress(sqlite3.OperationalError),
        ):  # locked for too long, a full disk: the next comparison finds it
            try:
                with self._connection:
                    yield self._connection
            except sqlite3.DatabaseError as error:
                self._mend(error)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute("SELECT 1 FROM runs LIMIT 1")
            except sqlite3.DatabaseError as error:
                self._mend(error)
            yield self._connection

    def _mend(self, error: sqlite3.DatabaseError) -> None:
        """A file that was damaged or deleted under our hands is begun anew. Raises what is no damage."""
        if isinstance(error, sqlite3.OperationalError) and "no such table" not in str(error):
            raise error
        with suppress(sqlite3.Error):
            self._connection.close()
        _forget(self.path)
        self._connection, self.stale = self._opened(), True


def _connected(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE_SECONDS, check_same_thread=False)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError("another version")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("damaged")
        connection.executescript(SCHEMA)
        connection.execute(f"SELECT {', '.join(COLUMNS)}, found FROM runs LIMIT 1")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _forget(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        with suppress(OSError):
            path.with_name(name).unlink()


def _where(search: Search) -> tuple[str, list[str | int]]:
    parts: list[str] = ["(trashed > 0) = ?"]
    values: list[str | int] = [int(search.trashed)]
    if search.owner is not None:
        parts, values = [*parts, "owner = ?"], [*values, search.owner]
    if search.starred:
        parts.append("starred")
    for word in search.words.casefold().split():
        parts, values = [*parts, "instr(found, ?)"], [*values, word]
    return " AND ".join(parts), values


def _row(entry: Entry) -> tuple[str | int | float, ...]:
    values = {
        **vars(entry),
        "starred": int(entry.starred),
        "tags": json.dumps(entry.tags, ensure_ascii=False),
    }
    text = "\n".join((entry.title, entry.words, *entry.tags, entry.notes)).casefold()
    return (*(values[name] for name in COLUMNS), text)


def _entry(row: tuple) -> Entry:
    values = dict(zip(COLUMNS, row, strict=True))
    return Entry(**{**values, "starred": bool(values["starred"]), "tags": tuple(json.loads(values["tags"]))})
