"""The strength of a reference in a browser, over a session of doubles: dragged, bent, gated, ignored, and
compared.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import trimesh
from browsing import canvas_pixels, generate, state, visiting, wait_number, wait_state
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.browser
LONG = 9000  # steps of a run that is stopped by hand


def begin(page: Page, folder: Path) -> str:
    """A long run with a reference; its token."""
    page.click("#mq-tabs button[data-tab=reference]")
    page.click(".mq-ref-tabs [data-source=upload]")
    trimesh.creation.box((1, 3, 1)).export(folder / "plank.stl")
    page.set_input_files(".mq-ref-pane:not([hidden]) input[type=file]", folder / "plank.stl")
    page.wait_for_function("document.querySelector('.mq-ref-chosen').dataset.shown?.includes('plank.stl')")
    page.fill("#mq-refine_steps input", str(LONG))
    return generate(page)


def handle(page: Page, end: str) -> Locator:
    """``early``, ``late``, or an empty word for a point between."""
    return page.locator(f'.mq-knot[data-end="{end}"]')


def drag(page: Page, what: Locator, x: int, y: int) -> None:
    """From its middle, in a few moves."""
    box = what.bounding_box()
    x0, y0 = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move(x0 + x, y0 + y, steps=8)
    page.mouse.up()


def strength_told(page: Page, holds: str) -> None:
    """Wait until what the engine says of the strength fulfils a condition on ``s``."""
    strength = "const s = maquette.stage.lastStatus?.reference?.strength"
    page.wait_for_function(f"(() => {{ {strength}; return s !== null && ({holds}); }})()")


def test_the_strength_is_steered_while_the_run_goes_and_shown_again(
    browser: Browser, double_page: str, tmp_path: Path
) -> None:
    with visiting(browser, double_page) as page:
        page.click("#mq-tabs button[data-tab=text]")
        expect(page.locator(".mq-strength")).to_be_hidden()
        token = begin(page, tmp_path)
        told = re.compile("Chosen by you: it fits in part, so the gate lets 50 % of its strength act")
        expect(page.locator(".mq-strength-fit")).to_have_text(told)
        page.wait_for_function("Number(document.querySelector('.mq-strength').dataset.course) >= 2")
        expect(page.locator(".mq-strength-curve")).to_be_hidden()
        page.click(".mq-strength-more summary")
        expect(page.locator(".mq-strength-now")).to_contain_text("% noise, it acts with")

        late = handle(page, "late")
        late.scroll_into_view_if_needed()
        before = float(late.get_attribute("aria-valuenow"))
        drag(page, late, 0, -40)
        dragged = late.get_attribute("aria-valuenow")
        assert float(dragged) > before
        wait_number(page, "revisionApplied", 1)
        early = handle(page, "early")
        for end in (early, late):
            end.focus()
            page.keyboard.press("Home")
        strength_told(page, "s === 0")
        page.keyboard.press("ArrowUp")
        expect(late).to_have_attribute("aria-valuetext", "0.05")

        page.click(".mq-strength [data-act=add]")
        page.keyboard.press("End")
        expect(page.locator(".mq-strength-text input")).to_have_value("0:0,0.5:2,1:0.05")
        strength_told(page, "s > 0")
        drag(page, handle(page, ""), -40, 30)
        curve = page.locator(".mq-strength-text input").input_value()
        place, height = map(float, curve.split(",")[1].split(":"))
        assert place < 0.45 and height < 1.9
        page.fill(".mq-strength-text input", "1:0,0:1")
        page.keyboard.press("Tab")
        expect(page.locator(".mq-strength-note").first).to_contain_text("Not sent")
        page.fill(".mq-strength-text input", curve)
        page.keyboard.press("Tab")

        page.click('.mq-strength [data-gate="by hand"]')
        page.click(".mq-flip")
        strength_told(page, "s === 0")
        page.reload()
        page.wait_for_function(
            "token => document.querySelector('#mq-stage')?.dataset.token === token", arg=token
        )
        expect(page.locator(".mq-flip")).to_have_attribute("aria-checked", "true")
        expect(page.locator(".mq-strength-text input")).to_have_value(curve)
        expect(page.locator('[data-gate="by hand"]')).to_have_attribute("aria-checked", "true")
        page.wait_for_function("Number(document.querySelector('.mq-strength').dataset.course) >= 2")
        page.click(".mq-flip")
        strength_told(page, "s > 0")
        page.click(".mq-strength-more summary")
        handle(page, "").focus()
        page.keyboard.press("Delete")
        expect(page.locator(".mq-knot")).to_have_count(2)
        expect(late).to_have_attribute("aria-valuetext", "0.05")
        page.click("#mq-stop")
        wait_state(page, "stopped")


@pytest.mark.heavy
def test_a_run_and_its_twin_are_turned_together(browser: Browser, double_page: str, tmp_path: Path) -> None:
    with visiting(browser, double_page) as page:
        begin(page, tmp_path)
        wait_number(page, "frames", 2)
        page.click(".mq-strength-compare")
        expect(page.locator(".mq-side b")).to_have_text(["With the reference", "Without the reference"])
        expect(page.locator(".mq-twin .mq-wait b")).to_contain_text("In line")
        expect(page.locator(".mq-view")).to_be_hidden()
        twin = state(page)["compare"]
        page.click("#mq-stop")
        wait_state(page, "stopped")
        seen = wait_number(page, "twinFrames", 2)
        before = canvas_pixels(page)
        drag(page, page.locator(".mq-twin canvas"), 90, 20)
        cameras = page.evaluate("[maquette.stage.live.camera, maquette.comparison.live.camera]")
        assert cameras[0] == cameras[1] and cameras[0]["azimuth"] != 35
        wait_number(page, "twinFrames", seen + 2)
        page.wait_for_timeout(500)
        after = canvas_pixels(page)
        assert before.shape != after.shape or np.abs(before.astype(int) - after).max() > 30, (
            "the other one turned too"
        )
        page.click(".mq-twin-back")
        expect(page.locator(".mq-twin, .mq-side")).to_have_count(0)
        expect(page.locator(".mq-view")).to_be_visible()
        page.click(".mq-strength-compare")
        page.wait_for_function(
            "twin => document.querySelector('#mq-stage').dataset.compare === twin", arg=twin
        )
        page.reload()
        page.wait_for_function(
            "twin => document.querySelector('#mq-stage')?.dataset.compare === twin", arg=twin
        )
        assert f"beside={twin}" in page.url, "the link shows both"
        page.click(f'.mq-runs button[data-token="{twin}"]')
        page.wait_for_function("twin => document.querySelector('#mq-stage').dataset.token === twin", arg=twin)
        expect(page.locator(".mq-twin")).to_have_count(0)
        assert "beside" not in page.url
        expect(page.locator(".mq-strength-compare")).to_have_text("Compare with the reference")
        page.click("#mq-stop")
        wait_state(page, "stopped")
