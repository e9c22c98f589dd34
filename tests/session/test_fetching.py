"""Downloads in the background: progress, cancel and go on, one at a time, failures with a remedy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import InputError, StorageError
from engine.prior.hub import Report
from engine.session.fetching import Download, Fetching, Offer, Pace

PATIENCE = 30.0
OFFER = Offer("wide", "Wide", 100, "CC0", "https://example.org/wide", Path("/cache/wide"))


class FakeFetch:
    """Fetches in ten parts, each of which needs a permit; what was fetched is kept."""

    def __init__(self) -> None:
        self.permits, self.kept, self.error, self.begun = threading.Semaphore(0), 0, None, []

    def __call__(self, prior_id: str, report: Report) -> Path:
        self.begun.append((prior_id, self.kept))
        while self.kept < 10:
            assert self.permits.acquire(timeout=PATIENCE)
            report(self.kept / 10)
            if self.error is not None:
                raise self.error
            self.kept += 1
        return OFFER.target


@pytest.fixture
def fetch() -> FakeFetch:
    return FakeFetch()


@pytest.fixture
def fetching(fetch: FakeFetch) -> Iterator[Fetching]:
    offers = {"wide": OFFER, "other": replace(OFFER, id="other", title="Other")}
    made = Fetching(offers, fetch, lambda prior_id: prior_id == "wide" and fetch.kept == 10)
    yield made
    made.cancel()
    fetch.permits.release(20)
    assert made.close(PATIENCE)


def reached(fetching: Fetching, share: float) -> Download:
    with fetching._changed:
        assert fetching._changed.wait_for(lambda: fetching._download.share >= share, PATIENCE)
    return fetching.view()


def test_a_download_is_seen_while_it_goes_and_offers_nothing_when_it_is_there(
    fetching: Fetching, fetch: FakeFetch
) -> None:
    assert fetching.offer("wide") == OFFER and fetching.offer("toybox") is None and fetching.view() is None
    fetching.start("wide")
    fetch.permits.release(6)
    half = reached(fetching, 0.5)
    assert half.state == "running" and half.bytes == 50_000_000 and half.bytes_per_second > 0
    assert half.eta_seconds == pytest.approx(50_000_000 / half.bytes_per_second)
    fetch.permits.release(4)
    done = fetching.wait(PATIENCE)
    assert (done.state, done.share, done.path, done.error) == ("done", 1.0, OFFER.target, None)
    assert fetching.offer("wide") is None


def test_a_cancelled_download_keeps_what_is_there_and_goes_on(fetching: Fetching, fetch: FakeFetch) -> None:
    fetching.start("wide")
    fetch.permits.release(4)
    reached(fetching, 0.3)
    fetching.cancel()
    fetch.permits.release(1)
    ended = fetching.wait(PATIENCE)
    assert ended.state == "cancelled" and ended.error is not None and "kept" in ended.error[1]
    fetching.start("wide")
    fetch.permits.release(10)
    assert fetching.wait(PATIENCE).state == "done"
    assert fetch.begun == [("wide", 0), ("wide", 4)]


def test_one_at_a_time(fetching: Fetching, fetch: FakeFetch) -> None:
    fetching.start("wide")
    fetching.start("wide")
    with pytest.raises(InputError, match="Wide is being fetched"):
        fetching.start("other")
    with pytest.raises(InputError, match="being fetched"):
        fetching.start("nothing")
    fetch.permits.release(10)
    fetching.wait(PATIENCE)
    assert len(fetch.begun) == 1


def test_what_cannot_be_fetched_is_refused(fetching: Fetching) -> None:
    with pytest.raises(InputError, match="nothing to fetch"):
        fetching.start("toybox")


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (StorageError("The disk is full.", "Free some space."), "disk is full"),
        (ZeroDivisionError("oh"), "ZeroDivisionError"),
    ],
)
def test_a_failure_is_told_with_a_remedy_and_can_be_tried_again(
    fetching: Fetching, fetch: FakeFetch, error: Exception, what: str
) -> None:
    fetch.error = error
    fetching.start("wide")
    fetch.permits.release(1)
    failed = fetching.wait(PATIENCE)
    assert failed.state == "failed" and what in failed.error[0] and failed.error[1]
    fetch.error = None
    fetching.start("wide")
    fetch.permits.release(10)
    assert fetching.wait(PATIENCE).state == "done"


def test_the_speed_is_that_of_the_last_seconds() -> None:
    pace = Pace()
    assert pace.after(0.0, 0.0) == 0.0 and pace.after(1.0, 100.0) == 100.0
    for second in range(2, 40):
        speed = pace.after(float(second), 100.0 + 10.0 * (second - 1))
    assert speed == pytest.approx(10.0)
    assert Download(OFFER).eta_seconds is None
