"""Four drafts in a browser: they take shape side by side, one is chosen and goes on, the others are in the
trash.
"""

from __future__ import annotations

import pytest
from browsing import state, visiting, wait_state
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.browser


@pytest.mark.heavy
def test_one_of_four_drafts_is_chosen_and_goes_on(browser: Browser, double_page: str) -> None:
    with visiting(browser, double_page) as page:
        page.fill("#mq-refine_steps input", "10")
        page.fill("#mq-prompt textarea", "a red mug")
        page.click("#mq-four")
        drafts = page.locator(".mq-drafts-grid button")
        expect(drafts).to_have_count(4)
        expect(page.locator('.mq-drafts-grid [data-state="paused"]')).to_have_count(4)
        page.reload()
        expect(page.locator('.mq-drafts-grid [data-state="paused"]')).to_have_count(4)
        chosen = drafts.nth(2).get_attribute("data-token")
        drafts.nth(2).click()
        expect(page.locator(".mq-drafts")).to_be_hidden()
        page.wait_for_function(
            "token => document.querySelector('#mq-stage').dataset.token === token", arg=chosen
        )
        wait_state(page, "done")
        assert state(page)["step"] == "10" and "drafts" not in page.url
        expect(page.locator(".mq-runs button")).to_have_count(1)
        page.click('[data-act="library"]')
        expect(page.get_by_role("button", name="Trash (3)")).to_be_visible()
