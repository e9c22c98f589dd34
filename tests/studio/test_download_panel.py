"""The download box: what it says before, while and after, by its handlers and once in a browser against a Hub
on loopback.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browsing import PATIENCE_MS, launch, visiting
from playwright.sync_api import expect, sync_playwright
from studio_doubles import catalogue
from studio_serving import free_port, serve

from engine.errors import StorageError
from engine.prior.hub import Report
from engine.session.fetching import Download, Fetching, Offer
from studio.download_panel import FetchHandlers, offer_note, progress_note, time_words
from studio.menu import prior_options
from studio.messages import size_words

OFFER = Offer(
    "wide",
    "<Wide>",
    2140,
    "CreativeML OpenRAIL-M",
    "https://huggingface.co/somebody/wide",
    Path("/cache/wide"),
)


class Fake:
    """A download that is here at once, or fails with ``error``."""

    def __init__(self, error: Exception | None = None) -> None:
        self.here, self.error = False, error
        self.fetching = Fetching({"wide": OFFER}, self, lambda prior_id: self.here)
        self.catalogue = replace(catalogue(), fetching=self.fetching)
        self.handlers = FetchHandlers(self.catalogue)

    def __call__(self, prior_id: str, report: Report) -> Path:
        if self.error is not None:
            raise self.error
        self.here = True
        return OFFER.target


def buttons(answer: list[Any]) -> tuple[bool, bool]:
    """Whether Download and Cancel are offered."""
    return answer[1]["visible"], answer[2]["visible"]


def test_size_licence_page_and_target_are_said_before() -> None:
    note, *_ = answer = Fake().handlers.look("wide")
    for fact in (
        "2.1 GB",
        "CreativeML OpenRAIL-M",
        OFFER.page,
        "/cache/wide",
        "you accept that licence",
        "&lt;Wide&gt;",
    ):
        assert fact in note
    assert "hf auth login" not in note and "hf auth login" in offer_note(replace(OFFER, gated=True))
    assert buttons(answer) == (True, False)


def test_a_prior_that_is_here_needs_no_box() -> None:
    answer = Fake().handlers.look("toybox")
    assert answer[0] == "" and buttons(answer) == (False, False)


def test_a_page_without_downloads_offers_none() -> None:
    answer = FetchHandlers(catalogue()).look("wide")
    assert answer[0] == "" and buttons(answer) == (False, False) and len(answer) == 5


def test_what_was_fetched_is_usable_without_a_restart() -> None:
    fake = Fake()
    before = {option.key: option for option in prior_options(fake.catalogue)}["wide"]
    assert "2.1 GB to download" in before.note and not before.refusal and fake.catalogue.prior("wide").missing
    fake.handlers.start("wide")
    fake.fetching.wait(30)
    note, *_ = answer = fake.handlers.look("wide")
    assert "is here" in note and "/cache/wide" in note and buttons(answer) == (False, False)
    assert answer[-1]["options"] == [vars(option) for option in prior_options(fake.catalogue)]
    after = {option.key: option for option in prior_options(fake.catalogue)}["wide"]
    assert (after.note, after.refusal, fake.catalogue.prior("wide").missing) == ("", "", "")


def test_a_failure_is_told_and_can_be_tried_again() -> None:
    fake = Fake(StorageError("The disk is full.", "Free some space."))
    fake.handlers.start("wide")
    fake.fetching.wait(30)
    note, *_ = answer = fake.handlers.look("wide")
    assert "The disk is full." in note and "Free some space." in note
    assert buttons(answer) == (True, False) and answer[1]["value"] == "Go on"


def test_what_cannot_be_fetched_is_refused_in_words() -> None:
    assert "nothing to fetch" in Fake().handlers.start("toybox")[0]


def test_progress_says_share_speed_and_time_left() -> None:
    note = progress_note(Download(OFFER, share=0.25, bytes_per_second=10_000_000))
    for fact in ("25%", "535.0 MB of 2.1 GB", "10.0 MB/s", "about 3 min left", 'value="0.2500"'):
        assert fact in note
    assert "left" not in progress_note(Download(OFFER))


@pytest.mark.parametrize(("count", "words"), [(2.14e9, "2.1 GB"), (535e6, "535.0 MB"), (12_300, "12 kB")])
def test_sizes_in_words(count: float, words: str) -> None:
    assert size_words(count) == words and time_words(0.2) == "about 1 s"


@pytest.fixture(scope="module")
def far_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page whose prior "far" lies on a slow Hub."""
    port, folder = free_port(), tmp_path_factory.mktemp("far")
    yield from serve([str(Path(__file__).parent / "fetching_page.py"), str(folder), str(port)], port, folder)


@pytest.mark.heavy
@pytest.mark.browser
def test_a_prior_is_downloaded_from_the_page(far_page: str) -> None:
    """Chosen, downloaded, cancelled, gone on with, and there: through the real download."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        with visiting(browser, far_page) as page:
            box, download, cancel = (
                page.locator("#mq-fetch"),
                page.locator("#mq-download"),
                page.locator("#mq-cancel-download"),
            )
            page.locator("#mq-prior button").first.click()
            option = page.get_by_role("option", name="Far away")
            expect(option).to_contain_text("1.0 MB to download, CC0-1.0")
            option.click()
            expect(box).to_contain_text("Far away is not on this machine. It takes 1.0 MB")
            expect(box.locator("a")).to_have_attribute("href", "https://huggingface.co/somebody/far")
            download.click()
            expect(box.locator("progress")).to_be_visible()
            cancel.click()
            expect(box).to_contain_text("What was fetched is kept")
            expect(download).to_have_text("Go on")
            download.click()
            expect(box).to_contain_text("Far away is here. You can use it now.")
            expect(download).to_be_hidden()
            page.locator("#mq-prior button").first.click()
            expect(page.get_by_role("option", name="Far away")).not_to_contain_text("to download")
        browser.close()
