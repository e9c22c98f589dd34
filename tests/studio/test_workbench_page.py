"""The workbench in a browser: a finished run is exported and dropped back in; live changes are listed, undone
and repeated.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browsing import generate, set_slider, state, visiting, wait_number, wait_state
from playwright.sync_api import Browser, Page, expect

from engine.loop.recipe import Change, Recipe
from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs, RunSpec

pytestmark = pytest.mark.browser
DROP = """([data, name]) => {
    const files = new DataTransfer(), bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    files.items.add(new File([bytes], name));
    const how = { bubbles: true, cancelable: true, dataTransfer: files };
    document.querySelector("#mq-stage").dispatchEvent(new DragEvent("drop", how));
}"""


def drop(page: Page, name: str, data: bytes) -> None:
    import base64

    page.evaluate(DROP, [base64.b64encode(data).decode(), name])


def done(page: Page, prompt: str, steps: int = 3) -> str:
    page.fill("#mq-refine_steps input", str(steps))
    token = generate(page, prompt)
    wait_state(page, "done")
    return token


def test_a_run_is_exported_compared_and_dropped_back_in(browser: Browser, double_page: str) -> None:
    with visiting(browser, double_page) as page:
        token = done(page, "a red mug")
        page.click(".mq-export-open")
        sheet = page.locator(".mq-export")
        page.click('.mq-export [data-format="splat"]')
        expect(sheet.locator(".mq-export-about")).to_have_attribute("data-bytes", "8400")
        page.wait_for_function("Number(document.querySelector('.mq-export-picture').dataset.drawn) > 0")
        sheet.locator("summary").click()
        sheet.get_by_label("Bottom to top, from").fill("0")
        expect(sheet.locator(".mq-export-about")).to_contain_text("of 200 splats")
        sheet.get_by_role("button", name="Undo").click()
        expect(sheet.locator(".mq-export-about")).to_have_attribute("data-bytes", "8400")
        page.click('.mq-export [data-format="ply"]')
        sheet.get_by_role("button", name="Export", exact=True).click()
        made = sheet.locator('article[data-format="ply"][data-state="done"]')
        expect(made).to_contain_text("nothing differs from the viewport")
        assert (
            made.locator("img").evaluate(
                "image => image.decode().then(() => image.naturalWidth / image.naturalHeight)"
            )
            == 2
        )
        answer = page.request.get(made.locator("a").get_attribute("href"))
        assert answer.ok and "a-red-mug.ply" in answer.headers["content-disposition"]
        page.keyboard.press("Escape")
        expect(sheet).to_be_hidden()
        page.fill("#mq-prompt textarea", "something else")
        drop(page, "mug.ply", answer.body())
        expect(page.locator("#mq-prompt textarea")).to_have_value("a red mug")
        expect(page.locator("#mq-seed-lock input")).to_be_checked()
        assert page.evaluate("document.body.dataset.dropped") == "restore" and state(page)["token"] == token


def test_the_box_of_the_viewport_is_the_crop_of_the_sheet_and_its_camera_path_too(
    browser: Browser, double_page: str
) -> None:
    with visiting(browser, double_page) as page:
        done(page, "a red mug")
        page.evaluate("maquette.stage.beside.pane.dataset.half = 'walk'")  # as where a browser can draw
        tools = page.locator(".mq-view-tools")
        tools.get_by_role("button", name="Crop").click()
        page.wait_for_function("maquette.stage.live.crop.length === 6")
        for low in (-0.5, -0.2, 0.0):  # one drag, as the viewport tells it
            page.evaluate("low => maquette.stage.live.hear({ crop: [-1.2, -1.2, low, 1.2, 1.2, 1.2] })", low)
        tools.get_by_role("button", name="Camera path").click()
        tools.get_by_role("button", name="Add where the live picture").click()
        tools.get_by_role("button", name="Add where the live picture").click()

        page.click(".mq-export-open")
        sheet = page.locator(".mq-export")
        page.click('.mq-export [data-format="splat"]')
        expect(sheet.locator(".mq-export-about")).to_contain_text("of 200 splats")
        sheet.locator("summary").click()
        expect(sheet.get_by_label("Bottom to top, from")).to_have_value("0")
        sheet.get_by_label("Bottom to top, to").fill("0.5")
        assert page.evaluate("maquette.stage.live.crop") == [-1.2, -1.2, 0, 1.2, 1.2, 0.5]
        for _ in range(2):
            sheet.get_by_role("button", name="Undo").click()
        expect(sheet.locator(".mq-export-about")).to_have_attribute("data-bytes", "8400")
        page.click('.mq-export [data-format="mp4"]')
        expect(sheet.locator(".mq-path-view")).to_have_count(2)
        sheet.get_by_role("button", name="Take all views out").click()
        expect(page.locator(".mq-path-view")).to_have_count(0)
        page.keyboard.press("Escape")

        frames = page.evaluate("maquette.stage.frames")
        page.get_by_label("What the picture shows").select_option("depth")
        page.wait_for_function("before => maquette.stage.frames > before", arg=frames)
        assert state(page)["layer"] == "depth" and state(page)["connection"] == "open"


def test_the_part_that_changes_has_its_box_in_the_viewport_and_follows_it(
    browser: Browser, double_page: str
) -> None:
    with visiting(browser, double_page) as page:
        done(page, "a red mug")
        crop = "maquette.stage.live.crop"
        page.get_by_role("tab", name="Edit").click()
        page.get_by_role("radio", name="Change a part").click()
        page.wait_for_function(f"{crop}.join() === '-1,-1,-1,1,1,1'")
        page.get_by_role("button", name="Top", exact=True).click()
        page.wait_for_function(f"{crop}.join() === '-1,-1,0.1,1,1,1'")
        # dragged there, as the viewport tells it
        page.evaluate("maquette.stage.live.hear({ crop: [-1, -1, 0.304, 1, 0.5, 1] })")
        expect(page.get_by_label("Down to up: from")).to_have_value("0.3")
        expect(page.get_by_label("Right to left: to")).to_have_value("0.5")
        assert page.evaluate(crop) == [-1, -1, 0.304, 1, 0.5, 1], "it stays where it was dragged to"
        assert page.evaluate("maquette.region.props.value") == "x=-1:1,y=-1:0.5,z=0.3:1"
        page.get_by_role("radio", name="Restyle").click()
        page.wait_for_function(f"{crop}.length === 0")


def test_live_changes_are_listed_with_their_steps_undone_and_repeated(
    browser: Browser, double_page: str, tmp_path: Path
) -> None:
    with visiting(browser, double_page) as page:
        page.fill("#mq-refine_steps input", "2000")
        generate(page, "a red mug")
        wait_number(page, "step", 3)
        set_slider(page, "guidance_scale", 6)
        moves = page.locator(".mq-moves")
        expect(moves).to_have_attribute("data-count", "1")
        moves.locator("summary").click()
        expect(moves.locator("li")).to_contain_text("Guidance 6")
        moves.get_by_role("button", name="Back to Guidance").click()
        expect(page.locator("#mq-guidance_scale input[type=number]")).to_have_value("2.5")
        page.click("#mq-stop")
        wait_state(page, "stopped")

        settings = with_values(Settings(RunSpec("a blue chair"), Knobs()), {"refine_steps": 6, "seed": 9})
        recipe = Recipe(
            settings, (Change(2, 1, {"guidance_scale": 4.5}), Change(4, 2, {"guidance_scale": 7.0}))
        )
        drop(page, "chair.toml", recipe.to_toml().encode())
        expect(moves).to_have_attribute("data-due", "2")
        expect(page.locator("#mq-prompt textarea")).to_have_value("a blue chair")
        before = state(page)["token"]
        page.click("#mq-generate")
        page.wait_for_function(
            "token => ![token, ''].includes(document.querySelector('#mq-stage').dataset.token)", arg=before
        )
        wait_state(page, "done")
        told = page.evaluate(
            "fetch(maquette.url(`/timeline/${maquette.tokenInAddress()}`)).then((answer) => answer.json())"
        )
        assert [(each["total_step"], each["words"]) for each in told["changes"]] == [(2, "Guidance 7")], (
            json.dumps(told)
        )


@pytest.mark.heavy
def test_what_is_dropped_goes_where_it_belongs(browser: Browser, double_page: str) -> None:
    picture = (Path(__file__).parents[2] / "studio" / "assets" / "sample-car.png").read_bytes()
    with visiting(browser, double_page) as page:
        drop(page, "car.png", picture)
        expect(page.locator("#mq-panel")).to_have_attribute("data-tab", "image")
        expect(page.locator(".mq-pic-row button").first).to_be_visible()
        drop(page, "chair.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
        page.locator(".mq-drop-card").get_by_role("button", name="Be guided by it").click()
        expect(page.locator("#mq-panel")).to_have_attribute("data-tab", "reference")
        drop(page, "chair.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
        page.locator(".mq-drop-card").get_by_role("button", name="Edit it").click()
        expect(page.locator("#mq-panel")).to_have_attribute("data-tab", "edit")
        expect(page.locator("#mq-edit .mq-file-button")).to_contain_text("chair")
        drop(page, "letter.docx", b"PK")
        expect(page.locator(".mq-drop-card")).to_contain_text("letter.docx is no picture")


@pytest.mark.heavy
def test_a_first_visit_is_shown_round_once_and_keys_are_listed(browser: Browser, double_page: str) -> None:
    with visiting(browser, double_page) as page:
        welcome = page.locator(".mq-welcome")
        expect(welcome).to_have_attribute("data-step", "1")
        welcome.get_by_role("button", name="Next").click()
        welcome.get_by_role("button", name="Next").click()
        welcome.get_by_role("button", name="Begin").click()
        expect(welcome).to_have_count(0)
        page.reload()
        page.wait_for_selector(".mq-runs > div[data-count]")
        page.keyboard.press("?")
        expect(page.locator(".mq-keys")).to_contain_text("Front view")
        page.keyboard.press("Escape")
        expect(page.locator(".mq-keys")).to_have_count(0)
        assert welcome.count() == 0

        shares = (
            "[...document.querySelectorAll('.mq-usual')].map((mark) => "
            "Number(mark.style.getPropertyValue('--share')))"
        )
        marks = page.evaluate(shares)
        assert marks and all(0 <= share <= 1 for share in marks), "usual values are marked on their tracks"
        done(page, "a red mug", 60)
        expect(page.locator(".mq-film")).to_be_visible()
        expect(page.locator(".mq-prior")).to_be_hidden()
        small = page.locator(".mq-live").bounding_box()["height"]
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("d")
        expect(page.locator(".mq-prior")).to_be_visible()
        assert small > 1.33 * page.locator(".mq-live").bounding_box()["height"], "the object has a third more"
        page.reload()
        expect(page.locator(".mq-prior")).to_be_visible()
