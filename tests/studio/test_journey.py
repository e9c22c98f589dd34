"""A newcomer's visit to ``python -m studio``: words, a shape, a turn, a slider, a reload, a file. The real
engine throughout.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from browsing import (
    PATIENCE_MS,
    canvas_pixels,
    choose,
    generate,
    launch,
    set_slider,
    state,
    visiting,
    wait_for_colours,
    wait_number,
    wait_state,
)
from playwright.sync_api import expect, sync_playwright

pytestmark = pytest.mark.browser


def test_from_words_to_a_file(studio_page: str, tmp_path: Path) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    with (
        sync_playwright() as play,
        launch(play) as browser,
        visiting(browser, studio_page, with_viewport=True) as page,
    ):
        page.locator("#mq-chips .mq-chip", has_text="Mug").click()
        page.fill("#mq-refine_steps input", "20000")
        token = generate(page)

        frames = wait_number(page, "frames", 2)
        before = canvas_pixels(page)
        wait_number(page, "frames", frames + 3)
        after = canvas_pixels(page)
        assert before.shape != after.shape or np.abs(before.astype(int) - after).max() > 10, (
            "the shape evolves on screen"
        )

        set_slider(page, "guidance_scale", 4.5)
        wait_number(page, "revisionApplied", 1)
        assert 0 < int(state(page)["appliedAtStep"]) <= int(state(page)["step"]) + 1

        choose(page, "method", "lods")
        switched = wait_number(page, "revisionApplied", int(state(page)["revision"]))
        expect(page.locator("#mq-lods-prior_learning_rate")).to_be_visible()
        expect(page.locator('.mq-readouts [data-name="null_convergence"] p')).not_to_be_empty()
        wait_number(page, "priorRows", 2)
        expect(page.locator(".mq-prior output")).to_contain_text("% noise: ")
        choose(page, "method", "sds")
        wait_number(page, "revisionApplied", switched + 1)
        set_slider(page, "guidance_scale", 4.5)
        wait_number(page, "revisionApplied", switched + 2)

        step = int(state(page)["step"])
        page.reload()
        page.wait_for_selector("#mq-stage[data-state]")
        wait_state(page, "running")
        assert state(page)["token"] == token and wait_number(page, "step", step + 2) > step
        expect(page.locator("#mq-guidance_scale input[type=number]")).to_have_value("4.5")
        wait_for_colours(page, ".mq-view", 40)

        page.click("#mq-stop")
        wait_state(page, "stopped")
        link = page.locator(".mq-files a", has_text="Mesh")
        expect(link).to_be_visible()
        with page.expect_download() as download:
            link.click()
        download.value.save_as(tmp_path / "mesh.glb")
    assert len(trimesh.load(tmp_path / "mesh.glb", force="mesh").faces) > 100
