"""Models for photos on the command line: listed with the priors, fetched after consent, told about before a
run without them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants
from PIL import Image

from engine.prior.vision.depth_estimator import load_estimator
from engine.prior.vision.entries import list_photo
from engine.prior.vision.normal_estimator import load_normal_estimator
from engine.prior.vision.segment_anything import load_segmenter
from studio.cli import EXIT_FAILED, main


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    load_segmenter.cache_clear()
    load_estimator.cache_clear()
    load_normal_estimator.cache_clear()


def test_they_are_listed_with_the_setting_that_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["priors"]) == 0
    told = capsys.readouterr().out
    assert "for image_cut_out = sam-base" in told and "for image_relief = depth-anything-v2-small" in told
    assert "for image_normals = marigold-normals-lcm" in told


@pytest.mark.parametrize("entry", list_photo(), ids=lambda entry: entry.id)
def test_fetching_shows_size_and_licence_and_asks_first(entry, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["priors", "--fetch", entry.id]) == EXIT_FAILED
    told = capsys.readouterr()
    assert f"{entry.size_mb} MB" in told.out and entry.licence in told.out and "--yes" in told.err


@pytest.mark.parametrize(
    "setting",
    [
        "image_cut_out=sam-base",
        "image_relief=depth-anything-v2-small",
        "image_normals=marigold-normals-lcm",
    ],
)
def test_a_run_without_the_model_says_how_to_get_it(
    setting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = np.full((80, 80, 3), 240, np.uint8)
    pixels[20:60, 25:55] = (200, 40, 30)
    Image.fromarray(pixels).save(tmp_path / "block.png")
    asked = [
        "generate",
        "--image",
        str(tmp_path / "block.png"),
        "--out",
        str(tmp_path / "out"),
        "--set",
        setting,
        "--quiet",
    ]
    assert main(asked) == EXIT_FAILED
    assert f"--fetch {setting.partition('=')[2]}" in capsys.readouterr().err
