"""``generate --image``: from a picture file to results, and again from their recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.assets.images.image_arguments import pictures_in
from engine.loop.recipe import Recipe
from studio.cli import EXIT_BAD_INPUT, main
from studio.commands.generate import elevation_values

QUICK = [
    "--set",
    "sampling_steps=2",
    "--set",
    "fit_steps=10",
    "--set",
    "refine_steps=1",
    "--set",
    "splats=200",
    "--quiet",
]
ONLY = ["--formats", "png"]


@pytest.fixture(scope="module")
def picture(tmp_path_factory) -> Path:
    pixels = np.full((80, 80, 3), 240, np.uint8)
    pixels[20:60, 25:55] = (200, 40, 30)
    path = tmp_path_factory.mktemp("pictures") / "red block.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="module")
def made(picture: Path, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "block"
    assert main(["generate", "--image", f"{picture}@20*2", "--out", str(out), *QUICK, *ONLY]) == 0
    return out


def test_the_result_holds_its_picture(made: Path, picture: Path) -> None:
    spec = Recipe.from_toml((made / "recipe.toml").read_text()).settings.spec
    (listed,) = pictures_in(spec.images)
    assert (listed.azimuth_deg, listed.weight, spec.prompt) == (20, 2, "")
    assert (made / listed.path).read_bytes() == picture.read_bytes()


def test_the_recipe_makes_the_same_again(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["generate", "--recipe", str(made / "recipe.toml"), "--out", "again", "--quiet", *ONLY]) == 0
    assert (tmp_path / "again" / "views.png").read_bytes() == (made / "views.png").read_bytes()


def test_bad_pictures_are_told_before_the_work(picture: Path, tmp_path: Path, capsys) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(picture.read_bytes()[:100])
    for wrong, told in (
        (tmp_path / "gone.png", "is not there"),
        (broken, "damaged"),
        (f"{picture}@500", "azimuth"),
    ):
        assert (
            main(["generate", "--image", str(wrong), "--out", str(tmp_path / "out"), *QUICK])
            == EXIT_BAD_INPUT
        )
        assert told in capsys.readouterr().err


def test_words_may_stand_beside_pictures_and_something_must_be_given(tmp_path: Path, capsys) -> None:
    assert main(["generate", "--out", str(tmp_path)]) == EXIT_BAD_INPUT
    assert "--image" in capsys.readouterr().err


def test_the_height_of_the_camera_is_set_or_estimated() -> None:
    assert elevation_values(None) == {}
    assert elevation_values("auto") == {"image_elevation": "auto"}
    assert elevation_values("25") == {"image_elevation": "set", "image_elevation_deg": "25"}


def test_an_estimated_height_is_told(picture: Path, tmp_path: Path, capsys) -> None:
    asked = [
        "generate",
        "--image",
        str(picture),
        "--image-elevation",
        "auto",
        "--out",
        str(tmp_path / "out"),
        *QUICK,
        *ONLY,
    ]
    assert main(asked) == 0
    told = capsys.readouterr()
    assert "height of the camera was estimated" in told.out + told.err
    spec = Recipe.from_toml((tmp_path / "out" / "recipe.toml").read_text()).settings.spec
    assert spec.image_elevation == "auto"
