"""What an owner does with ended runs: names, stars, the trash; and that nobody else does."""

from __future__ import annotations

import pytest

from engine.errors import InputError
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session import Session
from engine.session.library_index import Search
from engine.session.record import from_json
from tests.session.fakes import PATIENCE_SECONDS, FakeRun, eventually, settings_of


def ended(session: Session, prompt: str = "a red mug") -> str:
    token = session.submit(settings_of(prompt, 2), "ada")
    assert session.wait(token, PATIENCE_SECONDS).state == "done"
    return token


def test_a_run_goes_into_the_trash_and_comes_back_with_its_name(session: Session) -> None:
    token, runs = ended(session), session.runs
    runs.relabel(token, "ada", {"name": "My mug", "starred": True})
    assert session.view(token).title == "My mug" and session.jobs("ada")[0].title == "My mug"
    runs.trash(token, "ada")
    assert session.jobs("ada") == () and runs.search("ada", Search()).count == 0
    with pytest.raises(InputError, match="no run"):
        session.view(token)
    assert [each.title for each in runs.search("ada", Search(trashed=True)).entries] == ["My mug"]
    runs.restore(token, "ada")
    assert session.view(token).title == "My mug" and session.files(token)
    assert runs.search("ada", Search(words="my", starred=True)).count == 1


def test_deleting_and_emptying_free_the_space(session: Session) -> None:
    one, other = ended(session), ended(session, "a blue mug")
    session.runs.trash(one, "ada")
    assert session.runs.bytes_of("ada") > 0
    assert session.runs.empty_trash("ada") == 1 and not (session.library.root / ".trash" / one).exists()
    session.runs.trash(other, "ada")
    session.runs.delete(other, "ada")
    assert session.runs.bytes_of("ada") == 0 and session.runs.search("ada", Search(trashed=True)).count == 0


@pytest.mark.parametrize("owner", ["", "bob", "ad", "*"])
def test_nobody_else_changes_throws_away_or_takes_back(session: Session, owner: str) -> None:
    token, runs = ended(session), session.runs
    for act in (
        lambda: runs.relabel(token, owner, {"name": "x"}),
        lambda: runs.trash(token, owner),
        lambda: runs.delete(token, owner),
    ):
        with pytest.raises(InputError, match="Only who started"):
            act()
    runs.trash(token, "ada")
    for act in (lambda: runs.restore(token, owner), lambda: runs.delete(token, owner)):
        with pytest.raises(InputError, match="no such run"):
            act()
    assert runs.empty_trash(owner) == 0 and runs.search(owner, Search(trashed=True)).count == 0
    runs.restore(token, "ada")


def test_a_run_that_goes_is_not_thrown_away_and_is_found_as_it_goes(session: Session, run: FakeRun) -> None:
    run.hold()
    token = session.submit(Settings(RunSpec("a red mug", refine_steps=9), Knobs()), "ada")
    run.allow(3)
    with pytest.raises(InputError, match="has not ended"):
        session.runs.trash(token, "ada")
    assert session.runs.search("ada", Search(words="mug")).entries[0].state in ("queued", "running")
    run.free()


def test_runs_that_ended_earlier_are_read_when_they_are_asked_for(
    open_session, session: Session, monkeypatch
) -> None:
    token = session.submit(Settings(RunSpec("a red mug", refine_steps=2), Knobs()), "ada", "my key")
    assert session.wait(token, PATIENCE_SECONDS).state == "done"
    session.close()
    read: list[str] = []
    monkeypatch.setattr(
        "engine.session.library.from_json", lambda text: read.append("one") or from_json(text)
    )
    again = open_session()
    assert again.runs.search("ada", Search()).entries[0].title == "a red mug" and not read, (
        "the index is enough"
    )
    assert again.view(token).state == "done" and again.files(token) and len(read) == 1
    assert [view.token for view in again.jobs("ada")] == [token] and len(read) == 1
    settings = Settings(RunSpec("a red mug", refine_steps=2), Knobs())
    assert again.submit(settings, "ada", "my key") == token, (
        "a key still stands for what was submitted under it"
    )
    with pytest.raises(InputError, match="no run"):
        again.view("nobody")


def test_what_was_thrown_away_is_not_taken_up_by_the_next_session(open_session, session: Session) -> None:
    kept, thrown = ended(session), ended(session)
    session.runs.trash(thrown, "ada")
    session.close()
    again = open_session()
    assert [view.token for view in again.jobs("ada")] == [kept]
    again.runs.restore(thrown, "ada")
    assert {view.token for view in again.jobs("ada")} == {kept, thrown}


def test_own_runs_that_wait_change_places(session: Session, run: FakeRun) -> None:
    run.hold()
    first, *waiting = [session.submit(settings_of(f"run {n}", 2), "ada") for n in range(4)]
    other = session.submit(settings_of("another", 2), "bob")
    eventually(lambda: session.view(first).state == "running")
    session.runs.reorder(waiting[2], "ada", 0)
    assert session.runs.waiting("ada") == [waiting[2], waiting[0], waiting[1]] and session.runs.waiting(
        "bob"
    ) == [other]
    session.runs.reorder(waiting[2], "ada", 99)
    session.runs.reorder(first, "ada", 0)  # it goes already
    assert session.runs.waiting("ada") == waiting
    with pytest.raises(InputError, match="Only who started"):
        session.runs.reorder(waiting[0], "bob", 2)
    run.free()


def test_the_order_of_own_runs_survives_restarts(open_session, session: Session, run: FakeRun) -> None:
    run.hold()
    first, *waiting = [session.submit(settings_of(f"run {n}", 2), "ada") for n in range(4)]
    eventually(lambda: session.view(first).state == "running")
    session.runs.reorder(waiting[2], "ada", 0)
    later = session.submit(settings_of("one more", 2), "ada")
    for _ in range(2):
        run.free()
        session.close()
        run.hold()
        session = open_session()
        eventually(
            lambda again=session: (
                again.runs.waiting("ada")[:1] != [first] and first not in again.runs.waiting("ada")
            )
        )
        assert session.runs.waiting("ada") == [waiting[2], waiting[0], waiting[1], later]
    run.free()


def test_what_would_go_first_is_the_trash_then_the_oldest_without_a_star(session: Session) -> None:
    runs = [ended(session, f"run {n}") for n in range(4)]
    session.runs.relabel(runs[0], "ada", {"starred": True})
    session.runs.trash(runs[3], "ada")
    one = session.runs.to_free("ada", 1)
    assert [entry.token for entry in one] == [runs[3]]
    assert [entry.token for entry in session.runs.to_free("ada", 10**9)] == [runs[3], runs[1], runs[2]]
    assert session.runs.to_free("bob", 10**9) == [] and session.runs.to_free("ada", 0) == []


def test_a_list_of_jobs_reads_no_more_than_it_shows(open_session, session: Session, monkeypatch) -> None:
    tokens = [ended(session, f"run {n}") for n in range(5)]
    session.close()
    read: list[str] = []
    monkeypatch.setattr(
        "engine.session.library.from_json", lambda text: read.append("one") or from_json(text)
    )
    again = open_session()
    assert [view.token for view in again.jobs("ada", most=2)] == [tokens[4], tokens[3]] and len(read) == 2
    assert again.jobs("ada", "failed") == () and len(again.runs.tokens("ada", "done")) == 5 and len(read) == 2
