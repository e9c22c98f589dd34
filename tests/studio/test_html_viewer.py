"""The exported page with a viewer inside draws, without network, what the renderer draws."""

from __future__ import annotations

import math
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from engine.assets.export.formats.base import ExportOptions
from engine.core.camera import orbit_camera
from engine.loop.exporting import export, open_source
from engine.loop.frames import render_rgba
from tests.loop.test_exporting import RECIPE, write_result
from tests.studio.browsing import HARMLESS, launch

SIDE = 320
NAME = 'a "red" <ball> & co'


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_result(tmp_path_factory.mktemp("result"))


@pytest.fixture(scope="module")
def page(result: Path) -> Iterator[Page]:
    export(result, "html", ExportOptions(origin="centre", name=NAME), result / "view.html")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        context = browser.new_context(
            viewport={"width": SIDE, "height": SIDE},
            offline=True,
            reduced_motion="reduce",
            color_scheme="light",
        )
        page, complaints = context.new_page(), []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((result / "view.html").as_uri())
        yield page
        assert not [each for each in complaints if not HARMLESS.search(each)]
        browser.close()


def seen(page: Page, azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    """What the page shows (S,S,3) in 0..1."""
    page.evaluate("([a, e]) => viewer.look(a, e)", [math.radians(azimuth_deg), math.radians(elevation_deg)])
    page.wait_for_timeout(300)
    return np.asarray(Image.open(BytesIO(page.screenshot())).convert("RGB")) / 255


@pytest.mark.browser
@pytest.mark.parametrize(("azimuth_deg", "elevation_deg"), [(0, 0), (100, 20), (180, -30)])
def test_it_shows_what_the_renderer_shows(
    azimuth_deg: float, elevation_deg: float, page: Page, result: Path
) -> None:
    scene = open_source(result).scene
    means = scene.scene.means.numpy()
    distance = 1.15 * np.linalg.norm(means.max(0) - means.min(0)) / 2 / math.sin(math.radians(20))
    rgba = (
        render_rgba(scene, [orbit_camera(azimuth_deg, elevation_deg, float(distance), 40.0, SIDE)])[0] / 255
    )
    wanted = rgba[..., :3] + (1 - rgba[..., 3:]) * np.array([244, 243, 240]) / 255
    shown = seen(page, azimuth_deg, elevation_deg)
    inner = np.s_[20:-60, 20:-20]  # the name stands below
    gap = np.abs(shown - wanted)[inner]
    assert gap.mean() < 0.01 and (gap.max(-1) > 0.1).mean() < 0.02


@pytest.mark.browser
def test_its_name_is_text_and_it_holds_the_recipe(page: Page) -> None:
    assert page.title() == NAME and page.locator("p").inner_text() == NAME
    assert page.evaluate("JSON.parse(document.querySelector('#recipe').textContent)") == RECIPE
    assert page.get_by_role("img").get_attribute("aria-label").startswith(NAME)


@pytest.mark.heavy
@pytest.mark.browser
def test_keys_and_the_pointer_turn_it(page: Page) -> None:
    before = seen(page, 0, 0)
    page.locator("canvas").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    turned = np.asarray(Image.open(BytesIO(page.screenshot())).convert("RGB")) / 255
    page.mouse.move(100, 100)
    page.mouse.down()
    page.mouse.move(180, 100)
    page.mouse.up()
    page.wait_for_timeout(300)
    dragged = np.asarray(Image.open(BytesIO(page.screenshot())).convert("RGB")) / 255
    assert np.abs(turned - before).max() > 0.2 and np.abs(dragged - turned).max() > 0.2
