"""The command box under one thread and under many."""

from __future__ import annotations

import random
import threading
from dataclasses import replace

from engine.loop.messages import Command, SetKnobs, Stop, Watch
from engine.loop.spec import Knobs
from engine.session.queues import CommandQueue


def knobs(revision: int) -> SetKnobs:
    return SetKnobs(revision, replace(Knobs(), anchor_weight=revision / 1000))


def test_newest_of_each_type_in_the_order_of_first_posting() -> None:
    box = CommandQueue()
    for command in (Watch(True), knobs(1), Stop(), knobs(2), Watch(False)):
        box.post(command)
    assert box.take() == [Watch(False), knobs(2), Stop()]
    assert box.take() == []


def test_knobs_are_never_replaced_by_older_ones_even_after_they_were_taken() -> None:
    box = CommandQueue()
    box.post(knobs(5))
    box.post(knobs(4))
    assert box.take() == [knobs(5)]
    box.post(knobs(3))
    assert box.take() == []
    box.post(knobs(5))
    assert box.take() == [knobs(5)]


def test_two_thousand_events_keep_their_order_and_the_last_arrives() -> None:
    box, posted, taken = CommandQueue(), threading.Event(), []

    def post() -> None:
        for revision in range(1, 2001):
            box.post(knobs(revision))
        posted.set()

    thread = threading.Thread(target=post)
    thread.start()
    while not posted.is_set():
        taken += box.take()
    taken += box.take()
    thread.join()
    revisions = [command.revision for command in taken]
    assert revisions == sorted(set(revisions)) and revisions[-1] == 2000
    assert all(command == knobs(command.revision) for command in taken)


def test_many_writers_and_a_reader_that_lags() -> None:
    box, everyone, taken = CommandQueue(), threading.Barrier(5), []
    numbers = iter(range(1, 2001))
    lock = threading.Lock()

    def write(seed: int) -> None:
        everyone.wait()
        choice = random.Random(seed)
        while True:
            with lock:  # numbering and posting together, as a session does
                revision = next(numbers, None)
                if revision is None:
                    return
                box.post(knobs(revision))
            box.post(choice.choice((Watch(True), Watch(False))))

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    everyone.wait()
    while any(thread.is_alive() for thread in threads):
        batch = box.take()
        assert len({type(command) for command in batch}) == len(batch)
        taken += batch
    taken += box.take()
    revisions = [command.revision for command in taken if isinstance(command, SetKnobs)]
    assert revisions == sorted(set(revisions)) and revisions[-1] == 2000


def test_a_stop_is_never_lost() -> None:
    box, found = CommandQueue(), []
    stop: Command = Stop()
    thread = threading.Thread(target=lambda: [box.post(knobs(r)) or box.post(stop) for r in range(1, 501)])
    thread.start()
    while thread.is_alive():
        found += box.take()
    found += box.take()
    assert found[-1] in (stop, knobs(500)) and stop in found
