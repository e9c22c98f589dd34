"""The page in a browser, over a session of doubles: every control that a visitor touches does what it
says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browsing import (
    DESKTOP,
    LAPTOP,
    PHONE,
    arrive,
    canvas_pixels,
    choose,
    generate,
    set_slider,
    state,
    visiting,
    wait_for_colours,
    wait_number,
    wait_state,
)
from playwright.sync_api import Browser, Page, expect

from engine.guidance import methods

pytestmark = pytest.mark.browser
LONG = 4000  # steps of a run that is stopped by hand


@pytest.fixture
def page(browser: Browser, double_page: str) -> Iterator[Page]:
    with visiting(browser, double_page) as opened:
        yield opened
        end(opened)


def end(page: Page) -> None:
    """Stop the run on stage, so that it is in nobody's way."""
    if state(page)["state"] in ("queued", "running", "paused"):
        page.click("#mq-stop")
        wait_state(page, "stopped", "done")  # a short run may be done before the click arrives


def long_run(page: Page, prompt: str = "a red mug with a blue handle") -> str:
    page.fill("#mq-refine_steps input", str(LONG))
    return generate(page, prompt)


def test_a_run_is_watched_steered_paused_and_stopped(page: Page) -> None:
    long_run(page)
    frames = wait_number(page, "frames", 5)
    before = canvas_pixels(page)
    wait_number(page, "frames", frames + 5)
    after = canvas_pixels(page)
    assert before.std() > 5 and (before.shape != after.shape or np.abs(before.astype(int) - after).max() > 30)

    revision = int(state(page)["revision"])
    set_slider(page, "guidance_scale", 33)
    applied = wait_number(page, "revisionApplied", revision + 1)
    expect(page.locator('[data-field="revision"]')).to_contain_text(f"revision {applied} applied at step")
    assert 0 < int(state(page)["appliedAtStep"]) <= int(state(page)["step"]) + 1

    page.click("#mq-pause")
    wait_state(page, "paused")
    step = int(state(page)["step"])
    expect(page.locator("#mq-resume")).to_be_visible()
    expect(page.locator("#mq-pause")).to_be_hidden()
    page.wait_for_timeout(700)
    assert int(state(page)["step"]) <= step + 1
    page.click("#mq-resume")
    wait_state(page, "running")
    wait_number(page, "step", step + 3)

    step, eta = page.locator('[data-field="step"]'), page.locator('[data-field="eta"]')
    expect(eta).to_contain_text("left")
    # of the whole run, like the step at which a revision was applied
    expect(step).to_contain_text(f"/{LONG}")
    lost = """() => {
        maquette.stage.connection("lost");
        return ['[data-field="eta"]', ".mq-said"].map((each) => document.querySelector(each).innerText);
    }"""  # in one go: the next status puts both back
    left, said = page.evaluate(lost)
    assert left == "" and "lost" in said, "nobody knows how long"
    expect(eta).to_contain_text("left")  # it is heard of again

    page.click("#mq-stop")
    wait_state(page, "stopped")
    expect(step).to_have_text(re.compile(r"^\d+ steps$"))
    expect(page.locator(".mq-said")).to_have_text("Stopped")
    expect(page.locator(".mq-files a")).to_have_count(2)
    with page.expect_download() as download:
        page.locator(".mq-files a").first.click()
    assert download.value.suggested_filename == "a-red-mug-with-a-blue-recipe.toml"


def test_the_other_half_turns_with_the_picture(page: Page) -> None:
    """Without a GPU in the browser nothing is walked round at first: the half shows the object from behind,
    by one camera.
    """
    page.fill("#mq-refine_steps input", "30")
    generate(page)
    wait_state(page, "done")
    half = page.locator(".mq-view")
    expect(half).to_have_attribute("data-half", "behind")
    page.wait_for_function("Number(document.querySelector('.mq-view').dataset.frames) >= 1")
    box = page.locator(".mq-view > canvas").bounding_box()
    page.mouse.move(box["x"] + 150, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 150, steps=4)
    page.mouse.up()
    one, other = page.evaluate(
        "[maquette.stage.live.camera.azimuth, maquette.stage.beside.live.camera.azimuth]"
    )
    assert one != 35 and other == one + 180
    assert page.evaluate("document.querySelector('#mq-viewport').src") == "about:blank", (
        "nothing is fetched for it"
    )
    expect(page.locator('[data-half="reference"]')).to_be_hidden()
    assert page.locator(".mq-runs button[aria-current=true] span").inner_text().startswith("a red mug")


@pytest.mark.parametrize("way", ["splats", pytest.param("pictures", marks=pytest.mark.heavy)])
def test_the_viewport_shows_the_shape(browser: Browser, double_page: str, way: str) -> None:
    with visiting(browser, f"{double_page}/?viewport={way}", with_viewport=True) as page:
        long_run(page)
        assert state(page)["way"] == way
        wait_number(page, "step", 60)
        expect(page.frame_locator("#mq-viewport").locator("canvas").first).to_be_visible()
        wait_for_colours(page, ".mq-view", 40)
        end(page)


@pytest.mark.heavy
def test_the_viewport_and_the_picture_have_one_camera(browser: Browser, double_page: str) -> None:
    azimuth = "maquette.stage.live.camera.azimuth"
    with visiting(browser, f"{double_page}/?viewport=pictures", with_viewport=True) as page:
        page.fill("#mq-refine_steps input", "30")
        generate(page)
        wait_state(page, "done")
        page.click('[data-half="walk"]')
        wait_for_colours(page, ".mq-view", 40)
        page.evaluate("maquette.stage.live.look({ azimuth: 200, elevation: 40 })")
        page.wait_for_timeout(2000)
        assert page.evaluate(azimuth) == 200, "what the viewport reports of it is an echo"
        box = page.locator(".mq-view").bounding_box()
        page.mouse.move(box["x"] + 200, box["y"] + 200)
        page.mouse.down()
        page.mouse.move(box["x"] + 120, box["y"] + 200, steps=6)
        page.mouse.up()
        page.wait_for_function(f"Math.abs({azimuth} - 200) > 10")
        assert page.evaluate("maquette.stage.live.camera.elevation") == pytest.approx(40, abs=2), (
            "it stood where the picture was"
        )


def test_reloading_comes_back_to_the_run_and_its_settings(page: Page, double_page: str) -> None:
    set_slider(page, "anchor_weight", 1.25)
    token = long_run(page, "a yellow chair with blue legs")
    step = wait_number(page, "step", 3)
    set_slider(page, "guidance_scale", 21)
    wait_number(page, "revisionApplied", 1)
    assert f"job={token}" in page.url
    page.reload()
    page.wait_for_selector("#mq-stage[data-state]")
    wait_state(page, "running")
    assert state(page)["token"] == token and wait_number(page, "step", step + 1) > step
    wait_number(page, "frames", 2)
    expect(page.locator("#mq-prompt textarea")).to_have_value("a yellow chair with blue legs")
    expect(page.locator("#mq-anchor_weight input[type=number]")).to_have_value("1.25")
    expect(page.locator("#mq-guidance_scale input[type=number]")).to_have_value("21")
    expect(page.locator("#mq-refine_steps input")).to_have_value(str(LONG))


def test_another_browser_needs_the_link_and_lists_only_its_own(
    page: Page, browser: Browser, double_page: str
) -> None:
    token = long_run(page)
    with visiting(browser, double_page) as stranger:
        assert stranger.locator(".mq-runs button").count() == 0 and state(stranger)["state"] == "empty"
        arrive(stranger, f"{double_page}/?job={token}")
        wait_state(stranger, "running")
        wait_number(stranger, "frames", 3)
        assert stranger.locator(".mq-runs button").count() == 0
    wait_number(page, "step", int(state(page)["step"]) + 3)


@pytest.mark.heavy
def test_a_second_run_waits_in_line_and_recent_runs_open_again(page: Page) -> None:
    first = long_run(page)
    page.fill("#mq-prompt textarea", "a blue chair")
    page.click("#mq-generate")
    wait_state(page, "queued")
    second = state(page)["token"]
    expect(page.locator(".mq-wait b")).to_have_text("Next in line")
    expect(page.locator(".mq-state")).to_have_text("In line, number 1")
    page.click(f'.mq-runs button[data-token="{first}"]')
    page.wait_for_function("token => document.querySelector('#mq-stage').dataset.token === token", arg=first)
    wait_state(page, "running")
    expect(page.locator("#mq-prompt textarea")).to_have_value("a red mug with a blue handle")
    page.click("#mq-stop")
    wait_state(page, "stopped")
    page.click(f'.mq-runs button[data-token="{second}"]')
    page.wait_for_function("token => document.querySelector('#mq-stage').dataset.token === token", arg=second)
    wait_state(page, "running")


def test_an_empty_prompt_says_what_to_do_and_keeps_the_rest(page: Page) -> None:
    page.fill("#mq-negative textarea", "green")
    page.click("#mq-generate")
    expect(page.locator("#mq-problem .mq-fault strong")).to_contain_text("empty")
    expect(page.locator("#mq-problem .mq-fault span")).to_contain_text("Describe one object")
    expect(page.locator("#mq-negative textarea")).to_have_value("green")
    assert state(page)["state"] == "empty"
    page.fill("#mq-refine_steps input", str(LONG))
    box = page.locator("#mq-prompt textarea")
    box.press_sequentially("a red")
    expect(page.locator("#mq-problem .mq-fault")).to_have_count(0)  # its cause is gone
    box.press("Shift+Enter")
    box.press_sequentially("mug")
    expect(box).to_have_value("a red\nmug")
    assert state(page)["state"] == "empty"
    box.press("Enter")
    wait_state(page, "running", "done")
    expect(page.locator(".mq-runs button[aria-current=true]")).to_have_attribute(
        "aria-label", re.compile("a red mug")
    )
    slider = page.locator("#mq-guidance_scale input[type=range]")
    help = page.locator(f"#{slider.get_attribute('aria-describedby')}")
    assert "prompt pulls" in (help.text_content() or "")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert slider.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
    undo = page.locator(".mq-undo-live")
    expect(undo).to_have_attribute("aria-label", re.compile("Undo: Guidance back to"))
    undo.click()
    expect(page.locator("#mq-guidance_scale input[type=number]")).to_have_value("2.5")


def test_a_run_that_fails_says_why_and_can_be_tried_again(page: Page) -> None:
    page.fill("#mq-prompt textarea", "a bad mug")
    page.click("#mq-generate")
    wait_state(page, "failed")
    expect(page.locator(".mq-stop h2")).to_contain_text("not a finite number at step 5")
    expect(page.locator(".mq-stop p")).to_contain_text("Lower the learning rate")
    expect(page.locator("#mq-prompt textarea")).to_have_value("a bad mug")
    expect(page.locator("#mq-resume")).to_be_visible()


def test_words_that_the_prior_does_not_know_are_named(page: Page) -> None:
    page.locator("#mq-prompt textarea").press_sequentially("a red dragon mug")
    note = page.locator("#mq-unknown")
    expect(note).to_contain_text("Not known: dragon.")
    page.fill("#mq-prompt textarea", "a red mug")
    expect(note).to_be_hidden()


def test_an_example_fills_in_its_prompt(page: Page) -> None:
    page.locator(".mq-tile", has_text="a blue chair with yellow legs").click()
    expect(page.locator("#mq-prompt textarea")).to_have_value("a blue chair with yellow legs")
    page.locator("#mq-chips .mq-chip", has_text="Mug").click()
    expect(page.locator("#mq-prompt textarea")).to_have_value("a red mug with a blue handle")


@pytest.mark.heavy
def test_a_preset_shows_what_it_would_change_then_applies_then_is_undone(page: Page) -> None:
    refine, note = page.locator("#mq-refine_steps input"), page.locator("#mq-preset-note")
    page.fill("#mq-refine_steps input", "1230")
    choose(page, "preset", "toybox-ball")
    expect(note).to_contain_text("pleasure to watch")
    expect(note.locator(".mq-changes-next tr", has_text="Refine steps").locator("td")).to_have_text(
        ["1230", "→", "300"]
    )
    expect(note.locator(".mq-changes-live tr", has_text="Draft anchor")).to_be_visible()
    expect(refine).to_have_value("1230")
    page.click("#mq-dismiss")
    expect(note).to_be_hidden()
    expect(page.locator("#mq-preset .mq-menu-button")).to_have_text("Toybox · splats")

    choose(page, "preset", "toybox-ball")
    page.click("#mq-apply")
    expect(refine).to_have_value("300")
    expect(page.locator("#mq-anchor_weight input[type=number]")).to_have_value("0")
    expect(page.locator("#mq-apply")).to_be_hidden()
    page.click("#mq-undo")
    expect(refine).to_have_value("1230")
    expect(page.locator("#mq-anchor_weight input[type=number]")).to_have_value("0.5")
    expect(page.locator("#mq-preset .mq-menu-button")).to_have_text("Toybox · splats")
    expect(page.locator("#mq-undo")).to_be_hidden()


def test_every_method_explains_itself_in_the_menu_before_it_is_chosen(page: Page) -> None:
    page.click("#mq-method .mq-menu-button")
    for key, method in methods().items():
        row = page.locator(f'#mq-method [data-key="{key}"]')
        expect(row.locator("p").first).to_have_text(method.sentence)
        expect(row.locator("small")).to_contain_text("a step")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator("#mq-method .mq-menu-list")).to_be_hidden()
    expect(page.locator("#mq-method .mq-menu-button")).to_have_text("SDS")


def test_what_cannot_work_with_the_prior_says_so_and_cannot_be_chosen(page: Page) -> None:
    choose(page, "prior", "plain")
    row = page.locator('#mq-method [data-key="vsd"]')
    page.wait_for_function(
        "document.querySelector('#mq-method [data-key=vsd]').getAttribute('aria-disabled') === 'true'"
    )
    page.click("#mq-method .mq-menu-button")
    expect(row.locator(".mq-menu-refusal")).to_contain_text("no network in which an adapter could learn")
    row.click(force=True)  # as a hand would: it does not ask whether it may
    expect(page.locator("#mq-method .mq-menu-list")).to_be_visible()
    expect(page.locator("#mq-method .mq-menu-button")).to_have_text("SDS")
    page.keyboard.press("Escape")
    page.click("#mq-more-live .mq-fold-head")
    expect(page.locator("#mq-perp_neg")).to_be_visible()
    choose(page, "prior", "toybox")
    expect(page.locator("#mq-perp_neg")).to_be_hidden()


@pytest.mark.heavy
def test_the_method_is_switched_while_the_run_goes_on(page: Page) -> None:
    long_run(page)
    wait_number(page, "frames", 2)
    choose(page, "method", "lods")
    applied = wait_number(page, "revisionApplied", 1)
    expect(page.locator('[data-field="revision"]')).to_contain_text(f"revision {applied} applied at step")
    expect(page.locator("#mq-lods-prior_learning_rate")).to_be_visible()
    expect(page.locator("#mq-guidance_scale")).to_contain_text("Initial guidance")
    # as the preset with both has it
    expect(page.locator("#mq-guidance_scale input[type=number]")).to_have_value("10")
    gauge = page.locator('.mq-readouts [data-name="null_convergence"]')
    expect(gauge.locator("p")).not_to_be_empty()
    wait_number(page, "step", 110)  # by then the double has learned everything
    expect(gauge.locator("p")).to_contain_text("pale")
    expect(gauge.locator("output")).to_have_text("100 %")

    choose(page, "method", "ism")
    wait_number(page, "revisionApplied", applied + 1)
    expect(gauge).to_have_count(0)
    expect(page.locator("#mq-lods-prior_learning_rate")).to_be_hidden()
    page.click("#mq-more-live .mq-fold-head")
    expect(page.locator("#mq-ism-interval")).to_be_visible()
    wait_number(page, "step", int(state(page)["step"]) + 3)
    assert state(page)["state"] == "running"


def test_the_render_stands_beside_what_the_prior_makes_of_it(page: Page) -> None:
    long_run(page)
    wait_number(page, "priorRows", 2)
    assert state(page)["prior"] == "4" and state(page)["noise"] == "500"
    expect(page.locator(".mq-prior output")).to_have_text("50 % noise: parts and proportions")
    render, denoised = (canvas_pixels(page, f'[data-prior="{name}"]') for name in ("renders", "denoised"))
    page.locator(".mq-details").click()  # they are drawn all the time, and shown there
    assert render.shape == denoised.shape == (32, 32, 3)
    assert abs(denoised.mean() - render.mean() - 60) < 6, "they are of one step"
    boxes = [page.locator(f'[data-prior="{name}"]').bounding_box() for name in ("renders", "denoised")]
    assert boxes[0]["y"] == boxes[1]["y"] and boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]


def test_a_file_is_uploaded_named_and_taken_away_again(page: Page, tmp_path: Path) -> None:
    splats, picture = tmp_path / "my shape.ply", tmp_path / "my picture.png"
    splats.write_bytes(b"ply")
    picture.write_bytes(b"png")
    page.click("#mq-more-next .mq-fold-head")
    given, button = (
        page.locator("#mq-start_file input[type=file]"),
        page.locator("#mq-start_file .mq-file-button"),
    )
    given.set_input_files(picture)
    expect(page.locator("#mq-start_file .mq-menu-about")).to_contain_text("my picture.png is none of .ply")
    given.set_input_files(splats)
    expect(button).to_have_text("my shape.ply")
    expect(page.locator("#mq-start_file .mq-menu-about")).to_be_hidden()
    page.click("#mq-start_file .mq-file-none")
    expect(button).to_contain_text("Choose a file")
    given.set_input_files(splats)
    expect(button).to_have_text("my shape.ply")
    generate(page)
    page.reload()
    page.wait_for_selector("#mq-generate")
    page.click("#mq-more-next .mq-fold-head")
    expect(button).to_have_text("my shape.ply")  # now it is the run's own copy


@pytest.mark.heavy
def test_a_kept_seed_stays_and_a_free_one_is_drawn(page: Page) -> None:
    seed = page.locator("#mq-seed input")
    seed.fill("1234")
    page.check("#mq-seed-lock input")
    generate(page)
    expect(seed).to_have_value("1234")
    page.uncheck("#mq-seed-lock input")
    generate(page)
    expect(seed).not_to_have_value("1234")
    rolled = seed.input_value()
    page.click("#mq-dice")
    expect(seed).not_to_have_value(rolled)


def test_dragging_the_picture_turns_it(page: Page) -> None:
    page.fill("#mq-refine_steps input", "30")
    generate(page)
    wait_state(page, "done")
    wait_number(page, "frames", 1)
    page.wait_for_timeout(1500)
    before = canvas_pixels(page)
    box = page.locator("#mq-canvas").bounding_box()
    page.mouse.move(box["x"] + 150, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 190, box["y"] + 300, steps=5)
    page.mouse.up()
    page.wait_for_timeout(1500)
    assert (
        before.shape == canvas_pixels(page).shape
        and np.abs(before.astype(int) - canvas_pixels(page)).mean() > 0.5
    )


def test_an_address_of_no_run_says_so(browser: Browser, double_page: str) -> None:
    with visiting(browser, f"{double_page}/?job=nobody-knows-this") as page:
        expect(page.locator("#mq-problem .mq-fault strong")).to_contain_text("no run with this link")
        assert state(page)["state"] == "empty" and "job=" not in page.url


@pytest.mark.parametrize(
    ("window", "scheme"),
    [(DESKTOP, "light"), pytest.param(LAPTOP, "light", marks=pytest.mark.heavy), (PHONE, "dark")],
)
def test_the_page_fits_its_window(
    browser: Browser, double_page: str, window: dict[str, int], scheme: str
) -> None:
    with visiting(browser, double_page, window, scheme) as page:
        generate(page)
        wait_number(page, "frames", 1)
        width, height = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        assert width == window["width"]
        assert window is PHONE or height == window["height"], "everything is above the fold"
        button, canvas = (
            page.locator("#mq-generate").bounding_box(),
            page.locator("#mq-canvas").bounding_box(),
        )
        assert 0 <= button["y"] <= window["height"] - button["height"], "Generate is always in reach"
        assert canvas["y"] + canvas["height"] <= window["height"]
        foot = page.locator(".mq-files").bounding_box()
        assert window is PHONE or foot["y"] + foot["height"] <= window["height"], "downloads are in reach"
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        assert (sum(ground) > 384) == (scheme == "light")


@pytest.mark.heavy
def test_the_theme_can_be_changed_and_is_remembered(page: Page, double_page: str) -> None:
    page.click('[data-act="theme"]')
    assert page.evaluate("document.body.classList.contains('dark')")
    arrive(page, double_page)
    assert page.evaluate("document.body.classList.contains('dark')")


@pytest.mark.heavy
def test_the_phone_switches_between_picture_and_viewport(browser: Browser, double_page: str) -> None:
    with visiting(browser, double_page, PHONE) as page:
        long_run(page)
        page.wait_for_function("window.scrollY === 0")  # the stage is what is shown first
        expect(page.locator(".mq-live")).to_be_visible()
        expect(page.locator(".mq-view")).to_be_hidden()
        sheet, live = page.locator("#mq-sheet button"), page.locator("#mq-live")
        sheet.click()
        picture, steering = page.locator("#mq-canvas").bounding_box(), live.bounding_box()
        assert picture["y"] >= 0 and steering["y"] + steering["height"] <= PHONE["height"]
        assert steering["y"] - picture["y"] > 200, "the picture stays in sight"
        name = page.locator('#mq-guidance_scale [data-testid="block-info"]')
        name.click()
        expect(page.locator("#mq-guidance_scale .info-text")).to_be_visible()
        sheet.click()
        page.click('[data-show="view"]')
        expect(page.locator(".mq-view")).to_be_visible()
        expect(page.locator(".mq-live")).to_be_hidden()
        end(page)


@pytest.mark.heavy
def test_a_run_that_has_ended_goes_into_the_trash_and_comes_back(page: Page) -> None:
    page.fill("#mq-refine_steps input", "3")
    token = generate(page, "a red mug")
    wait_state(page, "done")
    count = page.locator(".mq-runs button").count()
    page.click(".mq-delete")
    expect(page.locator(f'.mq-runs button[data-token="{token}"]')).to_have_count(0)
    expect(page.locator(".mq-runs button")).to_have_count(count - 1)
    wait_state(page, "empty")
    expect(page.locator("#mq-problem")).not_to_contain_text("no run")
    page.click('[data-act="library"]')
    page.get_by_role("button", name="Trash (").click()
    page.locator(f'.mq-lib-card[data-token="{token}"]').get_by_role("button", name="Put back").click()
    expect(page.locator(f'.mq-runs button[data-token="{token}"]')).to_have_count(1)
