"""Drafts: runs that are held before they are refined, one of which goes on with all that it holds."""

from __future__ import annotations

from engine.session import Session
from engine.session.library_index import Search
from tests.session.fakes import FakeRun, eventually, settings_of


def drafts(session: Session, count: int = 3) -> list[str]:
    tokens = [session.submit(settings_of(steps=6), "ada", waits_before="refine") for _ in range(count)]
    eventually(lambda: all(session.view(token).state == "paused" for token in tokens))
    return tokens


def test_drafts_wait_before_they_are_refined_and_the_chosen_one_goes_on(
    session: Session, run: FakeRun
) -> None:
    first, chosen, last = drafts(session)
    assert [step for _, step in run.trace] == []
    session.resume(chosen)
    assert session.wait(chosen, 30).state == "done" and session.view(chosen).total_step == 6
    assert [session.runs.discard(token, "ada") for token in (first, last)] == [True, True]
    assert [view.token for view in session.jobs("ada")] == [chosen]
    assert session.runs.search("ada", Search(trashed=True)).count == 2


def test_a_draft_waits_through_a_restart(open_session, session: Session) -> None:
    (token,) = drafts(session, 1)
    session.close()
    again = open_session()
    assert again.view(token).state == "paused"
    again.resume(token)
    assert again.wait(token, 30).state == "done"


def test_one_that_has_not_been_put_down_is_not_thrown_away(session: Session, run: FakeRun) -> None:
    run.hold()
    token = session.submit(settings_of(steps=6), "ada")
    eventually(lambda: run.inside[1] > 0)
    assert not session.runs.discard(token, "ada") and session.view(token).state == "running"
