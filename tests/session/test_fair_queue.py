"""The queue is fair: round-robin over owners, first come first served within one."""

from __future__ import annotations

import random

from engine.session import Session
from engine.session.queues import Ticket, turn_order
from tests.session.fakes import FakeRun, eventually, settings_of


def tickets(*names: str) -> list[Ticket]:
    """``a1`` is owner a's job ``a1``, in the order of the arguments."""
    return [Ticket((1, number), name[0], name) for number, name in enumerate(names)]


def test_owners_take_turns() -> None:
    assert turn_order(tickets("a1", "a2", "a3", "b1", "c1", "b2"), {}) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_who_was_served_longest_ago_is_next() -> None:
    assert turn_order(tickets("a1", "b1", "c1"), {"a": 3, "b": 1, "c": 2}) == ["b1", "c1", "a1"]


def test_a_resumed_job_is_the_first_of_its_owner_but_not_of_all() -> None:
    waiting = [*tickets("b1", "a1", "b2"), Ticket((0, 9), "a", "resumed")]
    assert turn_order(waiting, {"a": 1}) == ["b1", "resumed", "b2", "a1"]


def test_everybody_comes_and_nobody_waits_for_two_jobs_of_another() -> None:
    choice = random.Random(0)
    for _ in range(100):
        names = [f"{choice.choice('abcd')}{number}" for number in range(choice.randint(1, 12))]
        order = turn_order(tickets(*names), {})
        assert sorted(order) == sorted(names)
        for owner in {name[0] for name in names}:
            own = [name for name in order if name[0] == owner]
            assert own == [name for name in names if name[0] == owner]
            places = [order.index(name) for name in own]
            for before, after in zip([-1, *places], places):
                between = [name[0] for name in order[before + 1 : after]]
                assert len(between) == len(set(between))


def test_the_order_announced_is_the_order_served() -> None:
    choice = random.Random(1)
    for _ in range(50):
        waiting = tickets(*[f"{choice.choice('abc')}{number}" for number in range(8)])
        announced, served, last_served = turn_order(waiting, {}), [], {}
        while waiting:
            token = turn_order(waiting, last_served)[0]
            (ticket,) = [ticket for ticket in waiting if ticket.token == token]
            waiting.remove(ticket)
            last_served[ticket.owner] = len(served) + 1
            served.append(token)
        assert served == announced


def test_three_owners_in_one_session(session: Session, run: FakeRun) -> None:
    run.hold()
    running = session.submit(settings_of("ada 1", 1), "ada")
    eventually(lambda: run.inside == ("ada 1", 1))
    names = ["ada 2", "ada 3", "bob 1", "eve 1", "bob 2"]
    tokens = {name: session.submit(settings_of(name, 1), name.split()[0]) for name in names}
    positions = {name: session.view(token).queue_position for name, token in tokens.items()}
    assert positions == {"bob 1": 1, "eve 1": 2, "ada 2": 3, "bob 2": 4, "ada 3": 5}
    assert session.view(running).queue_position == 0
    run.free()
    for token in tokens.values():
        assert session.wait(token, 30).state == "done"
    assert [prompt for prompt, _ in run.begun] == ["ada 1", "bob 1", "eve 1", "ada 2", "bob 2", "ada 3"]


def test_a_resumed_run_goes_before_its_owners_other_runs(session: Session, run: FakeRun) -> None:
    run.hold()
    paused = session.submit(settings_of("ada 1", 2), "ada")
    run.allow(1)
    eventually(lambda: run.inside == ("ada 1", 2))
    others = [session.submit(settings_of(name, 1), name.split()[0]) for name in ("bob 1", "ada 2")]
    session.pause(paused)
    run.allow(1)
    eventually(lambda: run.inside == ("bob 1", 1))
    session.resume(paused)
    assert [session.view(token).queue_position for token in (paused, others[1])] == [1, 2]
    run.free()
    assert all(session.wait(token, 30).state == "done" for token in (paused, *others))
