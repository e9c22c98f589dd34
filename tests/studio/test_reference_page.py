"""The reference card in a browser, over a session of doubles: retrieved, picked, uploaded, posed, made into
runs, shown again.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import trimesh
from browsing import PATIENCE_MS, canvas_pixels, launch, set_slider, state, visiting, wait_state
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.browser

TABLE = ".mq-ref-table"


def shown(page: Page, beginning: str) -> None:
    """Wait until the turntable shows what begins like this."""
    page.wait_for_function(
        "beginning => document.querySelector('.mq-ref-chosen').dataset.shown?.includes(beginning)",
        arg=beginning,
    )


def test_a_reference_from_words_to_runs(double_page: str, tmp_path: Path) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as play, launch(play) as browser, visiting(browser, double_page) as page:
        page.click("#mq-tabs button[data-tab=reference]")
        expect(page.locator("#mq-reference-examples .mq-chip")).to_have_count(5)

        page.fill("#mq-prompt textarea", "a red chair")
        shown(page, "shelf:toybox/701")
        best = page.locator(".mq-ref-item[data-ring]")
        expect(best).to_have_count(1)
        expect(best).to_contain_text("red chair")
        expect(best.locator("em")).to_contain_text("%")
        expect(page.locator("#mq-reference-examples")).to_be_hidden()
        page.click("[data-value='auto:3']")
        expect(best).to_have_count(3)

        front = canvas_pixels(page, TABLE)
        page.click(".mq-ref-sides button:has-text('Back')")
        back = canvas_pixels(page, TABLE)
        assert (front != back).any()

        page.click(".mq-ref-item >> nth=1")
        expect(best).to_have_count(0)
        expect(page.locator(".mq-ref-item[aria-pressed=true]")).to_contain_text("chair")

        page.click(".mq-ref-tabs [data-source=upload]")
        trimesh.creation.box((1, 3, 1)).export(tmp_path / "plank.stl")
        page.set_input_files(".mq-ref-pane:not([hidden]) input[type=file]", tmp_path / "plank.stl")
        shown(page, "plank.stl auto 0")
        expect(page.locator(".mq-ref-words b")).to_have_text("plank")
        before = canvas_pixels(page, TABLE)
        set_slider(page, "reference_turn_deg", 45)
        shown(page, "plank.stl auto 45")
        assert (canvas_pixels(page, TABLE) != before).any()

        set_slider(page, "variations", 2)
        page.click("#mq-generate")
        wait_state(page, "running", "done")
        expect(page.locator(".mq-runs button")).to_have_count(2)
        token = state(page)["token"]
        page.reload()
        page.wait_for_function(
            "token => document.querySelector('#mq-stage')?.dataset.token === token", arg=token
        )
        shown(page, "plank.stl#")
        expect(page.locator("#mq-tabs button[data-tab=reference]")).to_have_attribute("aria-selected", "true")
