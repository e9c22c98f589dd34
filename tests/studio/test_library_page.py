"""The library in a browser: runs are found, named, starred, tagged, thrown away, taken back, and opened."""

from __future__ import annotations

import pytest
from browsing import generate, state, visiting, wait_state
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


def make(page: Page, prompt: str) -> str:
    page.fill("#mq-refine_steps input", "3")
    token = generate(page, prompt)
    wait_state(page, "done")
    return token


def test_what_was_made_is_found_named_thrown_away_and_taken_back(browser: Browser, double_page: str) -> None:
    with visiting(browser, double_page) as page:
        mug, chair = make(page, "a red mug"), make(page, "a blue chair")
        page.click('[data-act="library"]')
        library = page.locator(".mq-library")
        expect(library).to_have_attribute("data-count", "2")
        card = library.locator(f'[data-token="{mug}"]')
        assert card.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") >= 96

        name = card.get_by_label("Name")
        name.fill("Anna's <b>mug</b>")
        name.press("Enter")
        expect(page.locator(f'.mq-runs button[data-token="{mug}"]')).to_contain_text("Anna's <b>mug</b>")
        card.get_by_role("button", name="Give it a star").click()
        card.get_by_role("button", name="Tags and notes").click()
        card.get_by_label("Tags").fill("gift, red")
        card.get_by_role("button", name="Save").click()
        expect(card.get_by_role("button", name="Find gift")).to_be_visible()
        library.get_by_role("button", name="Starred").click()
        expect(library).to_have_attribute("data-count", "1")
        library.get_by_role("button", name="All").click()
        library.get_by_label("Search the library").fill("chair")
        expect(library).to_have_attribute("data-count", "1")
        library.locator(f'[data-token="{chair}"]').get_by_role("button", name="into the trash").click()
        expect(library).to_have_attribute("data-count", "0")
        library.get_by_label("Search the library").fill("")
        library.get_by_role("button", name="Trash (1)").click()
        expect(library.get_by_role("button", name="Put back")).to_be_visible()
        page.evaluate(
            "maquette.library.search.dispatchEvent(new Event('input')); "
            "document.querySelector('.mq-lib-card .mq-lib-quiet').click()"  # before the search is asked
        )
        expect(library.locator(".mq-lib-told")).to_contain_text("is back")
        page.wait_for_timeout(1000)
        expect(library.locator(".mq-lib-told")).to_contain_text("is back")

        page.reload()
        expect(library).to_have_attribute("data-count", "2"), "it is in the address"
        library.get_by_role("button", name="Open Anna's").click()
        expect(library).to_be_hidden()
        page.wait_for_function(
            "token => document.querySelector('#mq-stage').dataset.token === token", arg=mug
        )
        assert state(page)["state"] in ("opening", "done") and "library" not in page.url


@pytest.mark.heavy
def test_deleting_for_ever_asks_first_and_escape_leaves(browser: Browser, double_page: str) -> None:
    with visiting(browser, double_page) as page:
        token = make(page, "a yellow mug")
        page.click(".mq-delete")
        page.click('[data-act="library"]')
        page.get_by_role("button", name="Trash (1)").click()
        card = page.locator(f'.mq-lib-card[data-token="{token}"]')
        card.get_by_role("button", name="Delete").click()
        card.get_by_role("button", name="For ever?").click()
        expect(card).to_have_count(0)
        expect(page.locator(".mq-lib-told")).to_contain_text("deleted")
        page.keyboard.press("Escape")
        page.focus(".mq-lib-head input")
        page.keyboard.press("Escape")
        expect(page.locator(".mq-library")).to_be_hidden()
