"""A library that is read-only or full, a broken index, folders that were moved by hand, names with every
character.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.assets.export.formats.base import ExportOptions
from engine.errors import StorageError
from engine.session import Session
from engine.session.exports import Exports
from engine.session.library import SESSIONS
from engine.session.library_index import NAME, Search
from tests.session.fakes import PATIENCE_SECONDS, settings_of
from tests.session.test_kills import slowly, with_splats

OpenSession = Callable[..., Session]
NAMES = (
    "Ähre „quoted“", "'; DROP TABLE runs; --", "100 % _%", "<b>bold</b> & co", "名前 😀", "a\tb\nc",
    "\u202eright to left",
    ".", "..", "../../x", "CON", "\\\\server\\x", "x" * 120,
)  # fmt: skip


def done(session: Session, words: str = "a red mug") -> str:
    token = session.submit(settings_of(words, 2), "ada")
    assert session.wait(token, PATIENCE_SECONDS).state == "done"
    return token


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_broken_index_is_made_anew_from_the_folders(open_session: OpenSession, damage: bytes) -> None:
    session = open_session()
    tokens = [done(session) for _ in range(3)]
    session.runs.relabel(tokens[0], "ada", {"name": "My mug", "tags": ["gift"], "notes": "for Anna"})
    session.close()
    (session.library.root / SESSIONS / NAME).write_bytes(damage)
    again = open_session()
    assert again.runs.search("ada", Search()).count == 3
    assert [entry.title for entry in again.runs.search("ada", Search(words="gift anna")).entries] == [
        "My mug"
    ]


def test_an_index_of_a_newer_version_is_made_anew(open_session: OpenSession) -> None:
    session = open_session()
    token = done(session)
    session.close()
    with sqlite3.connect(session.library.root / SESSIONS / NAME) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert [entry.token for entry in open_session().runs.search("ada", Search()).entries] == [token]


def test_folders_that_were_moved_by_hand_are_gone_and_come_back(
    open_session: OpenSession, tmp_path: Path
) -> None:
    session = open_session()
    kept, moved = done(session), done(session)
    session.close()
    shutil.move(session.library.root / moved, tmp_path / "elsewhere")
    (session.library.root / "a note.txt").write_text("of a person")
    (session.library.root / "pictures of mine").mkdir()
    second = open_session()
    assert [view.token for view in second.jobs("ada")] == [kept]
    assert second.runs.search("ada", Search()).count == 1
    second.close()
    shutil.move(tmp_path / "elsewhere", session.library.root / moved)
    third = open_session()
    assert {view.token for view in third.jobs("ada")} == {kept, moved}
    assert (session.library.root / "a note.txt").is_file() and (
        session.library.root / "pictures of mine"
    ).is_dir()


@pytest.mark.parametrize("name", NAMES)
def test_names_with_every_character_are_kept_and_found(open_session: OpenSession, name: str) -> None:
    session = open_session()
    token = done(session)
    label = session.runs.relabel(token, "ada", {"name": name, "tags": [name[:40]], "notes": name})
    assert label.name == " ".join(name.split())
    for words in name.split():
        assert [entry.token for entry in session.runs.search("ada", Search(words=words)).entries] == [token]
    session.close()
    assert open_session().view(token).title == label.name


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_read_only_disk_is_told_and_nothing_is_lost(
    open_session: OpenSession, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    session = open_session(write_results=with_splats)
    token = done(session)
    exports = Exports(session, slowly)
    session.runs.relabel(token, "ada", {"name": "Kept"})

    def refuse(*given: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.replace", refuse)
    for act in (
        lambda: session.runs.relabel(token, "ada", {"name": "Lost"}),
        lambda: session.runs.trash(token, "ada"),
        lambda: session.submit(settings_of(), "ada"),
    ):
        with pytest.raises(StorageError) as told:
            act()
        assert told.value.remedy
    exports.begin(token, "stl", ExportOptions())
    exports._pool.shutdown(wait=True)
    (export,) = exports.listing(token)
    assert export.state == "failed" and export.error[1]
    monkeypatch.undo()
    assert session.view(token).title == "Kept" and session.runs.search("ada", Search()).count == 1
    assert not list((session.library.folder(token) / "exports").glob("*partial*"))
    session.runs.relabel(token, "ada", {"name": "It goes on"})
    assert session.view(token).title == "It goes on"
