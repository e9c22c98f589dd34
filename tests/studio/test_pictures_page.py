"""The picture card in a browser: pictures in by every way, tagged, cropped, made into a run, and there again
after a reload.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from browsing import canvas_pixels, state, visiting, wait_state
from PIL import Image
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
TILES = ".mq-pic-tile > button:first-child"
PASTE = """async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
    const pen = canvas.getContext("2d");
    pen.fillStyle = "teal";
    pen.fillRect(16, 16, 30, 30);
    const blob = await new Promise((done) => canvas.toBlob(done)), data = new DataTransfer();
    data.items.add(new File([blob], "pasted.png", { type: "image/png" }));
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
}"""


def box_picture(path: Path, colour: tuple[int, int, int]) -> Path:
    rgba = np.zeros((80, 120, 4), np.uint8)
    rgba[20:60, 30:90] = (*colour, 255)
    Image.fromarray(rgba).save(path)
    return path


def ready(page: Page, count: int) -> None:
    expect(page.locator(".mq-pictures")).to_have_attribute("data-ready", str(count))


def test_two_pictures_make_a_run_and_are_there_again_after_a_reload(
    browser: Browser, double_page: str, tmp_path: Path
) -> None:
    pictures = [
        box_picture(tmp_path / "front.png", (200, 60, 40)),
        box_picture(tmp_path / "side.png", (40, 60, 200)),
    ]
    (tmp_path / "words.png").write_text("no picture")
    with visiting(browser, double_page) as page:
        page.click('[role="tab"][data-tab="image"]')
        page.set_input_files(".mq-pictures input[type=file]", [*pictures, tmp_path / "words.png"])
        ready(page, 2)
        page.locator(TILES).nth(2).click()
        expect(page.locator(".mq-pic-fault")).to_contain_text("words.png is not a picture that can be opened")

        page.locator(TILES).nth(1).click()
        page.get_by_role("button", name="Right", exact=True).click()  # the object's own
        expect(page.locator(".mq-dial")).to_have_attribute("aria-valuenow", "-90")
        before = page.locator(".mq-crop-box").bounding_box()
        page.focus(".mq-crop-box")
        for _ in range(4):
            page.keyboard.press("Shift+-")
        expect(page.get_by_role("button", name="Follow the object")).to_be_visible()
        after = page.locator(".mq-crop-box").bounding_box()
        assert before and after and after["width"] < 0.8 * before["width"]

        page.click("#mq-generate")
        page.wait_for_function("document.querySelector('#mq-stage').dataset.token")
        wait_state(page, "running", "done")
        page.reload()
        ready(page, 2)
        expect(page.locator(TILES).nth(0)).to_have_attribute("aria-label", "front.png, seen from front")
        expect(page.locator(TILES).nth(1)).to_have_attribute("aria-label", "side.png, seen from right")
        page.locator(TILES).nth(1).click()
        expect(page.get_by_role("button", name="Follow the object")).to_be_visible()
        again = page.locator(".mq-crop-box").bounding_box()
        assert again and again["width"] == pytest.approx(after["width"], abs=1.5)
        if state(page)["state"] == "running":
            page.click("#mq-stop")
            wait_state(page, "stopped", "done")


def test_pictures_are_pasted_tried_dialled_and_removed(browser: Browser, double_page: str) -> None:
    with visiting(browser, double_page) as page:
        page.click('[role="tab"][data-tab="image"]')
        page.get_by_role("button", name="Try a red car").click()
        ready(page, 1)
        expect(page.locator(".mq-dial")).to_have_attribute("aria-valuenow", "35")
        page.evaluate(PASTE)
        ready(page, 2)
        page.focus(".mq-dial")
        page.keyboard.press("PageUp")
        expect(page.locator(TILES).nth(1)).to_have_attribute("aria-label", "pasted.png, seen from 45°")
        page.get_by_role("button", name="Remove car.png").click()
        expect(page.locator(TILES)).to_have_count(1)
        page.get_by_role("button", name="Remove pasted.png").click()
        expect(page.locator(".mq-pic-zone")).to_be_visible()


@pytest.mark.heavy
def test_the_other_half_shows_the_given_picture_from_its_own_camera(
    browser: Browser, double_page: str, tmp_path: Path
) -> None:
    picture = box_picture(tmp_path / "front.png", (200, 60, 40))
    with visiting(browser, double_page) as page:
        page.click('[role="tab"][data-tab="image"]')
        page.set_input_files(".mq-pictures input[type=file]", picture)
        ready(page, 1)
        page.get_by_role("button", name="Back", exact=True).click()
        page.click("#mq-generate")
        page.wait_for_function("document.querySelector('#mq-stage').dataset.token")
        page.click('[data-half="picture"]')
        expect(page.locator(".mq-view")).to_have_attribute("data-shown", "picture")
        assert page.evaluate("maquette.stage.live.camera.azimuth") in (180, -180)
        assert (
            np.abs(canvas_pixels(page, ".mq-view > canvas").reshape(-1, 3).astype(int) - (200, 60, 40))
            .sum(1)
            .min()
            < 30
        )
        shot = page.locator(".mq-shots button")
        expect(shot).to_have_text("Back")
        expect(shot).to_have_attribute("aria-pressed", "true")
        page.evaluate("maquette.stage.live.look({ azimuth: 30 })")
        expect(shot).to_have_attribute("aria-pressed", "false")
        page.reload()
        (
            expect(page.locator(".mq-view")).to_have_attribute("data-half", "picture"),
            "what was chosen is in the address",
        )
        page.click('[data-half="behind"]')
        assert "half=" not in page.url


@pytest.mark.heavy
def test_a_doubtful_outline_is_shown_and_corrected_with_a_brush(
    browser: Browser, double_page: str, tmp_path: Path
) -> None:
    """White on white: its middle is painted with the pointer, a stroke is undone, another comes from the
    keyboard.
    """
    rows, columns = np.mgrid[:240, :320]
    picture = np.full((240, 320, 3), 250, np.uint8)
    picture[(columns - 160) ** 2 + (rows - 120) ** 2 < 70**2] = 240
    Image.fromarray(picture).save(tmp_path / "pale.png")
    with visiting(browser, double_page) as page:
        page.click('[role="tab"][data-tab="image"]')
        page.set_input_files(".mq-pictures input[type=file]", tmp_path / "pale.png")
        brush = page.locator(".mq-mask")
        expect(brush).to_be_visible()  # by itself
        expect(brush.get_by_role("button", name="Use this outline")).to_be_disabled()
        box = brush.locator("canvas").bounding_box()
        page.mouse.move(box["x"] + 20, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + 90, box["y"] + 20, steps=4)
        page.mouse.up()
        expect(brush).to_have_attribute("data-strokes", "1")
        brush.locator("canvas").press("Control+z")
        expect(brush).to_have_attribute("data-strokes", "0")
        page.mouse.move(0, 0)
        brush.locator("canvas").press("x")  # remove, in the middle
        brush.locator("canvas").press("Space")
        expect(brush).to_have_attribute("data-strokes", "1")
        brush.get_by_role("button", name="Use this outline").click()
        expect(brush).to_be_hidden()
        ready(page, 1)
        alpha = page.evaluate(ALPHA)
        assert alpha["middle"] == 0 and alpha["beside"] == 255
        assert "cut out by" not in page.locator(".mq-pic-notes").inner_text(), "its alpha is taken"
        page.get_by_role("button", name="Back to the automatic outline").click()
        ready(page, 1)
        assert page.evaluate(ALPHA)["middle"] == 255


ALPHA = """async () => {
    const image = document.querySelector(".mq-crop img"), canvas = document.createElement("canvas");
    await image.decode();
    Object.assign(canvas, { width: 320, height: 240 });
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0, 320, 240);
    const alpha = (x, y) => pen.getImageData(x, y, 1, 1).data[3];
    return { middle: alpha(160, 120), beside: alpha(200, 120) };
}"""
