"""Headless Chromium for the page tests, and the few gestures they share."""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Playwright, Response

FLAGS = (
    "--no-sandbox", "--headless", "--disable-gpu", "--use-angle=swiftshader",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip
DESKTOP, LAPTOP, PHONE = (
    {"width": 1440, "height": 900},
    {"width": 1366, "height": 625},
    {"width": 390, "height": 844},
)
PATIENCE_MS = 60_000  # another worker may hold the machine
BLANK = "about:blank"
HARMLESS = re.compile(
    r"computeBoundingSphere|THREE\.Clock|GL Driver Message|GPU stall|Automatic fallback to software WebGL"
)


REQUIRED = "MAQUETTE_REQUIRE_BROWSER"
MISSING = (
    "There is no Chromium for the page tests; add one with: python -m playwright install --with-deps chromium"
)


def launch(playwright: Playwright) -> Browser:
    """The browser that ``CHROMIUM`` names, or the first one on the path, or playwright's own.

    Where there is none the test is skipped, or fails if ``MAQUETTE_REQUIRE_BROWSER`` is set.
    """
    installed = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    found = os.environ.get("CHROMIUM") or next(filter(None, installed), None)
    if found is None and not Path(playwright.chromium.executable_path).exists():
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(MISSING)
    return playwright.chromium.launch(executable_path=found, args=list(FLAGS))


@contextmanager
def visiting(
    browser: Browser,
    address: str,
    window: dict[str, int] = DESKTOP,
    scheme: str = "light",
    *,
    with_viewport: bool = False,
) -> Iterator[Page]:
    """A page to which nobody has been before, ready to be used; errors in its console fail the test.

    Drawing without a GPU takes all of a small machine, so nothing is animated, and the viewport is left empty
    unless the test is about it.
    """
    shared = window is not PHONE and not with_viewport
    with tab(browser, shared, window is PHONE) as page:
        page.set_viewport_size(window)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        with complaints_of(page) as complaints:
            arrive(page, address)
            yield page
        assert not complaints, complaints


@contextmanager
def tab(browser: Browser, shared: bool, has_touch: bool) -> Iterator[Page]:
    """A blank tab. A shared one is used by one visit after the other, because a browser that has read the
    page's scripts once opens it with a third of the work; what a visit left in its storage is cleared away.
    """
    idle = (
        context.pages[0] for context in browser.contexts if [page.url for page in context.pages] == [BLANK]
    )
    page = (next(idle, None) if shared else None) or browser.new_context(has_touch=has_touch).new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    if shared:
        forget_the_visit(page)
    else:
        page.context.close()


def forget_the_visit(page: Page) -> None:
    """Leave the tab blank, with nothing in the storage of the address that it showed."""
    # the same origin, without scripts
    page.goto(re.match(r"\w+://[^/]+", page.url)[0] + "/pictures/samples/none")
    page.evaluate("[localStorage, sessionStorage].forEach(storage => storage.clear())")
    page.context.clear_cookies()
    page.goto(BLANK)


@contextmanager
def complaints_of(page: Page) -> Iterator[list[str]]:
    """What the page's console and its requests complain about meanwhile."""
    complaints: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type == "error" and not HARMLESS.search(message.text):
            complaints.append(message.text)

    def answered(response: Response) -> None:
        if response.status >= 400:
            complaints.append(f"{response.status} {response.url}")

    def broke(error: Error) -> None:
        complaints.append(str(error))

    listeners = {"console": said, "pageerror": broke, "response": answered}
    for event, listener in listeners.items():
        page.on(event, listener)
    yield complaints
    for event, listener in listeners.items():
        page.remove_listener(event, listener)


def arrive(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("#mq-stage[data-state]")
    page.wait_for_selector("#mq-generate")
    page.wait_for_function("document.querySelector('.mq-runs > div').dataset.count !== undefined")


def generate(page: Page, prompt: str = "a red mug with a blue handle") -> str:
    """Type the prompt, press Generate, wait until the run is on stage; returns its token."""
    before = state(page)["token"]
    page.fill("#mq-prompt textarea", prompt)
    page.click("#mq-generate")
    page.wait_for_function(
        "before => ![before, ''].includes(document.querySelector('#mq-stage').dataset.token)", arg=before
    )
    wait_state(page, "running", "done")
    return state(page)["token"]


def state(page: Page) -> dict[str, str]:
    """The data-* attributes of the stage."""
    return page.evaluate("({...document.querySelector('#mq-stage').dataset})")


def wait_state(page: Page, *states: str) -> None:
    page.wait_for_function(
        "states => states.includes(document.querySelector('#mq-stage').dataset.state)", arg=list(states)
    )


def wait_number(page: Page, name: str, at_least: int) -> int:
    """Wait until a number on the stage is at least this; returns it."""
    reached = "([name, least]) => Number(document.querySelector('#mq-stage').dataset[name]) >= least"
    page.wait_for_function(reached, arg=[name, at_least])
    return int(state(page)[name])


def set_slider(page: Page, name: str, value: float) -> None:
    """Type a value beside a slider."""
    box = page.locator(f"#mq-{name} input[type=number]")
    box.fill(str(value))
    box.press("Tab")


def choose(page: Page, menu: str, key: str) -> None:
    """Open a menu and take an option by its key."""
    page.click(f"#mq-{menu} .mq-menu-button")
    page.click(f'#mq-{menu} [data-key="{key}"]')


def canvas_pixels(page: Page, selector: str = "#mq-canvas") -> np.ndarray:
    """What a canvas holds (H,W,3); the live picture unless told."""
    data = page.evaluate(
        "selector => document.querySelector(selector).toDataURL('image/png').split(',')[1]", selector
    )
    return np.asarray(Image.open(BytesIO(base64.b64decode(data))).convert("RGB"))


def colours_shown(page: Page, selector: str) -> int:
    """How many different colours an element shows on screen."""
    picture = np.asarray(Image.open(BytesIO(page.locator(selector).screenshot())).convert("RGB"))
    return len(np.unique(picture.reshape(-1, 3) // 8, axis=0))


def wait_for_colours(page: Page, selector: str, at_least: int, seconds: int = PATIENCE_MS // 1000) -> None:
    """Wait until an element is anything but blank."""
    for _ in range(seconds):
        if colours_shown(page, selector) > at_least:
            return
        page.wait_for_timeout(1000)
    raise AssertionError(f"{selector} stayed blank")
