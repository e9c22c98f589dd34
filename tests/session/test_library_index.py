"""The index of a library: it holds what the folders hold, whatever becomes of it, and thousands of runs are
found at once.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session.label import Label, write_label
from engine.session.library import Library
from engine.session.library_catalogue import LibraryCatalogue
from engine.session.library_index import NAME, Entry, LibraryIndex, Search
from engine.session.record import JobRecord

MANY, SEARCH_SECONDS = 10_000, 0.2


def entry(number: int, **changes: object) -> Entry:
    words = f"a {('red', 'blue', 'green')[number % 3]} {('mug', 'chair')[number % 2]} number {number}"
    return Entry(f"token{number:05d}", "ada", float(number), "done", words, words, bytes=1000, **changes)  # type: ignore[arg-type]


@pytest.fixture
def index(tmp_path: Path) -> LibraryIndex:
    return LibraryIndex(tmp_path / NAME)


def record_of(token: str, prompt: str = "a red mug", owner: str = "ada") -> JobRecord:
    settings = Settings(RunSpec(prompt), Knobs())
    return JobRecord(token, owner, 1.0, settings, settings.knobs, state="done")


@pytest.fixture
def catalogue(tmp_path: Path) -> LibraryCatalogue:
    return LibraryCatalogue(Library(tmp_path / "library"))


def tokens(index: LibraryIndex, **search: object) -> list[str]:
    return [each.token for each in index.search(Search(**search)).entries]  # type: ignore[arg-type]


def test_entries_come_back_as_they_were_put(index: LibraryIndex) -> None:
    one = entry(7, starred=True, tags=("für Anna", "b\"c'd"), notes="zwei\nZeilen", trashed=3.0, stamp="1:2:")
    index.put(one)
    assert index.entry(one.token) == one and index.entry("nobody") is None
    assert index.search(Search(trashed=True)).entries == (one,) and index.search(Search()).count == 0


def test_runs_are_found_by_all_words_by_owner_and_by_star_newest_first(index: LibraryIndex) -> None:
    index.put_all([entry(i, starred=i == 4) for i in range(6)])
    index.put(Entry("other", "bob", 9.0, "done", "a red mug"))
    index.put(entry(6, tags=("Übung",), notes="100 % _sure_"))
    assert tokens(index, owner="ada", words="MUG red") == ["token00006", "token00000"]
    assert tokens(index, owner="ada", starred=True) == ["token00004"]
    assert (
        tokens(index, owner="ada", words="übung")
        == tokens(index, owner="ada", words="0 % _s")
        == ["token00006"]
    )
    assert tokens(index, words="a red mug")[0] == "other"
    assert tokens(index, owner="nobody") == tokens(index, owner="ada", words="fish") == []
    found = index.search(Search("ada", first=1, most=2))
    assert (len(found.entries), found.count, found.bytes) == (2, 7, 7000)


def test_ten_thousand_runs_are_searched_at_once(index: LibraryIndex) -> None:
    index.put_all(entry(i, starred=i % 50 == 0, notes="a note " * 20) for i in range(MANY))
    for search in (
        Search("ada"),
        Search("ada", "blue chair"),
        Search("ada", "number 9999"),
        Search("ada", "no such thing"),
    ):
        began = time.process_time()
        index.search(search)
        assert time.process_time() - began < SEARCH_SECONDS
    assert index.search(Search("ada", "number 9999")).count == 1


def test_what_would_go_first_of_ten_thousand_runs_is_known_at_once(index: LibraryIndex) -> None:
    index.put_all(
        entry(i, starred=i == 1, trashed=float(MANY - i) if i in (50, 60) else 0.0) for i in range(MANY)
    )
    index.put(Entry("going", "ada", -1.0, "running", "a red mug", bytes=1000))
    began = time.process_time()
    first = index.spare("ada", ("done",), 1000 * (MANY // 2))
    assert time.process_time() - began < SEARCH_SECONDS and len(first) == MANY // 2
    tokens = [each.token for each in first[:5]]
    assert tokens == ["token00060", "token00050", "token00000", "token00002", "token00003"]
    assert len(index.spare("ada", ("done",), 1001)) == 2 and index.spare("bob", ("done",), 9) == ()


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "cut", "version", "columns"])
def test_a_missing_or_broken_index_is_made_anew_from_the_folders(tmp_path: Path, damage: str) -> None:
    library = Library(tmp_path / "library")
    catalogue = LibraryCatalogue(library)
    library.write(record_of("one"))
    catalogue.relabel("one", Label("My mug", True, ("gift",)))
    catalogue.close()
    path = library.root / ".sessions" / NAME
    data = path.read_bytes()
    match damage:
        case "missing":
            path.unlink()
        case "version" | "columns":
            with sqlite3.connect(path) as connection:
                connection.executescript(
                    "PRAGMA user_version = 99"
                    if damage == "version"
                    else "ALTER TABLE runs DROP COLUMN found"
                )
            connection.close()
        case _:
            path.write_bytes(
                {"empty": b"", "text": b"no database " * 500, "cut": data[: len(data) // 2]}[damage]
            )
    again = LibraryCatalogue(library)
    (found,) = again.search(Search("ada", "gift mug")).entries
    assert (found.token, found.title, found.starred) == ("one", "My mug", True)


def test_an_index_that_is_damaged_while_it_is_used_is_made_anew(catalogue: LibraryCatalogue) -> None:
    catalogue.library.write(record_of("one"))
    catalogue.index._connection.executescript("DROP TABLE runs")
    assert [each.token for each in catalogue.search(Search("ada")).entries] == ["one"]
    catalogue.index._connection.executescript("DROP TABLE runs")
    catalogue.library.write(record_of("two"))
    assert {each.token for each in catalogue.search(Search("ada")).entries} == {"one", "two"}


def test_a_library_that_cannot_hold_an_index_is_still_searched(tmp_path: Path) -> None:
    (tmp_path / "library" / ".sessions" / NAME / "in the way").mkdir(parents=True)
    catalogue = LibraryCatalogue(Library(tmp_path / "library"))
    catalogue.library.write(record_of("one"))
    assert catalogue.search(Search("ada", "mug")).count == 1


def test_runs_that_were_moved_by_hand_are_found_and_missed(
    catalogue: LibraryCatalogue, tmp_path: Path
) -> None:
    library = catalogue.library
    for token in ("one", "two"):
        library.write(record_of(token))
    library.folder("one").rename(tmp_path / "elsewhere")
    write_label(library.folder("two"), Label("A name from elsewhere"))
    assert catalogue.refresh() == 1
    assert [each.title for each in catalogue.search(Search("ada")).entries] == ["A name from elsewhere"]
    (tmp_path / "elsewhere").rename(library.folder("one"))
    assert (catalogue.refresh(), catalogue.refresh()) == (1, 0)


def test_two_processes_write_and_each_finds_all(tmp_path: Path) -> None:
    catalogues = [LibraryCatalogue(Library(tmp_path / "library")) for _ in range(2)]

    def write(which: int) -> None:
        for number in range(20):
            catalogues[which].library.write(record_of(f"run-{which}-{number}"))

    threads = [threading.Thread(target=write, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.search(Search("ada")).count for each in catalogues] == [40, 40]


def test_the_trash_keeps_a_run_whole_and_gives_it_back(catalogue: LibraryCatalogue) -> None:
    library = catalogue.library
    library.write(record_of("one"))
    (library.folder("one") / "scene.ply").write_bytes(b"ply")
    catalogue.relabel("one", Label("My mug"))
    catalogue.trash("one")
    assert not library.folder("one").exists() and library.read_all() == []
    assert (
        catalogue.search(Search("ada")).count == 0
        and catalogue.search(Search("ada", "mug", trashed=True)).count == 1
    )
    catalogue.refresh()
    assert catalogue.search(Search("ada", trashed=True)).entries[0].title == "My mug"
    catalogue.restore("one")
    assert (library.folder("one") / "scene.ply").read_bytes() == b"ply" and library.read(
        "one"
    ).title == "a red mug"
    assert catalogue.search(Search("ada")).entries[0].title == "My mug"


@pytest.mark.parametrize("token", ["one", "..", "../one", "", "/etc", "a\0b"])
def test_what_is_not_in_the_trash_is_not_taken_out_of_it(catalogue: LibraryCatalogue, token: str) -> None:
    catalogue.library.write(record_of("one"))
    for act in (catalogue.restore, catalogue.purge):
        with pytest.raises(ValueError, match="no such run"):
            act(token)
    assert catalogue.library.folder("one").is_dir()


@pytest.mark.parametrize(
    "name", ["", "Emil's “mug” – 赤いマグ 🫖", "<b>&amp;</b>", "a" * 120, "../../x", "%s {0}"]
)
def test_every_name_is_kept_and_found(catalogue: LibraryCatalogue, name: str) -> None:
    catalogue.library.write(record_of("one"))
    catalogue.relabel("one", Label().with_values({"name": name}))
    assert catalogue.search(Search("ada", name)).entries[0].title == (name or "a red mug")


WRONG = ({"name": 3}, {"name": "x" * 121}, {"name": "\ud800"}, {"name": "a\0b"}, {"starred": "yes"},
    {"tags": 3},
         {"tags": ["x"] * 21}, {"tags": [None]}, {"owner": "bob"}, {"notes": None})  # fmt: skip


@pytest.mark.parametrize("values", WRONG)
def test_what_cannot_be_written_on_a_run_is_refused(values: dict) -> None:
    with pytest.raises(InputError) as refusal:
        Label().with_values(values)
    assert refusal.value.remedy


@pytest.mark.parametrize("text", ["", "[]", "{", '{"name": 3}', '{"starred": true, "more": 1}'])
def test_a_broken_label_is_none(catalogue: LibraryCatalogue, text: str) -> None:
    catalogue.library.write(record_of("one"))
    (catalogue.library.folder("one") / "label.json").write_text(text)
    assert catalogue.label("one").name == ""
