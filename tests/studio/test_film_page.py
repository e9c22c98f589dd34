"""The filmstrip in a browser: moments are looked at beside the live picture, gone back to, and branched."""

from __future__ import annotations

import pytest
from browsing import generate, set_slider, state, visiting, wait_number, wait_state
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


def choose_full(page: Page) -> int:
    """Click the first moment that was kept whole; returns its step."""
    page.wait_for_function("document.querySelectorAll('.mq-film button[data-full]').length > 0")
    frame = page.locator(".mq-film button[data-full]").last  # the newest stays, whatever is thinned out
    step = int(frame.get_attribute("data-step") or 0)
    frame.click()
    expect(page.locator(".mq-moment span")).to_have_text(f"Step {step}")
    return step


@pytest.mark.heavy
def test_a_run_is_looked_back_at_gone_back_in_and_branched(browser: Browser, double_page: str) -> None:
    with visiting(browser, double_page) as page:
        page.fill("#mq-refine_steps input", "900")
        token = generate(page)
        wait_number(page, "step", 40)
        set_slider(page, "guidance_scale", 6)
        wait_number(page, "step", 150)
        page.wait_for_function("document.querySelector('.mq-film button[data-changed]')")
        assert "Guidance 6" in page.locator(".mq-film button[data-changed]").first.get_attribute("title")
        step = choose_full(page)
        expect(page.locator(".mq-view")).to_have_attribute("data-half", "before")
        expect(page.locator(".mq-view")).to_have_attribute("data-shown", f"step {step}")

        wait_number(page, "step", step + 100)
        page.click('[data-act="rewind"]')
        page.wait_for_function(
            "most => maquette.stage.film.moments.every((each) => each.total_step <= most + 80)", arg=step
        )
        assert state(page)["token"] == token
        page.click(f'.mq-film button[data-step="{step}"]')
        page.click('[data-act="fork"]')
        page.wait_for_function(
            "token => ![token, ''].includes(document.querySelector('#mq-stage').dataset.token)", arg=token
        )
        page.click(f'.mq-runs button[data-token="{token}"]')
        page.wait_for_function(
            "token => document.querySelector('#mq-stage').dataset.token === token", arg=token
        )
        page.click("#mq-stop")
        wait_state(page, "stopped")
        page.locator(".mq-runs button").first.click()
        wait_state(page, "running")
        page.click("#mq-stop")
        wait_state(page, "stopped")
