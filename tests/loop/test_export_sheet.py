"""Contact sheets: views lie where they should, over one plain background, and the recipe comes back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.assets.export import read_recipe, sheet
from engine.errors import FileFormatError, InputError


def views(count: int = 8, height: int = 12, width: int = 10) -> np.ndarray:
    """View number i is opaque in tone 20 i within a transparent frame of one pixel."""
    rgba = np.zeros((count, height, width, 4), np.uint8)
    rgba[:, 1:-1, 1:-1, 3] = 255
    rgba[:, 1:-1, 1:-1, :3] = 20 * np.arange(count, dtype=np.uint8)[:, None, None, None]
    return rgba


def test_views_run_in_rows_over_a_seamless_background(tmp_path: Path) -> None:
    path = tmp_path / "views.png"
    sheet.write_sheet(path, views(), columns=4, margin=3, recipe="prompt = 'müg'\n")
    picture = np.asarray(Image.open(path))
    assert picture.shape == (2 * (12 + 3) + 3, 4 * (10 + 3) + 3, 3)
    plain = (picture == np.array(sheet.BACKGROUND, np.uint8)).all(-1)
    assert (~plain).sum() == 8 * 10 * 8
    for index in range(8):
        row, column = divmod(index, 4)
        block = picture[3 + row * 15 + 1 : row * 15 + 14, 3 + column * 13 + 1 : column * 13 + 12]
        assert (block == 20 * index).all()
    assert read_recipe(path) == "prompt = 'müg'\n"


def test_half_transparent_pixels_mix_with_the_background() -> None:
    half = np.full((1, 4, 4, 4), 128, np.uint8)
    half[..., :3] = [100, 0, 50]
    mixed = sheet.compose_sheet(half, columns=1, margin=0)
    expected = np.array([100, 0, 50]) + np.array(sheet.BACKGROUND) * 127 / 255
    np.testing.assert_allclose(mixed[0, 0], expected, atol=0.51)


def test_a_last_row_may_be_short() -> None:
    picture = sheet.compose_sheet(views(5), columns=3, margin=2)
    assert picture.shape[:2] == (2 * 14 + 2, 3 * 12 + 2)
    assert (picture[16:, 26:] == np.array(sheet.BACKGROUND)).all()


@pytest.mark.parametrize(
    "given", [np.zeros((0, 4, 4, 4), np.uint8), np.zeros((2, 4, 4, 3), np.uint8), np.zeros((2, 4, 4, 4))]
)
def test_other_arrays_are_refused(given: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        sheet.write_sheet(tmp_path / "views.png", given)
    assert not list(tmp_path.iterdir())


def test_pictures_without_a_recipe_and_damaged_ones_say_so(tmp_path: Path) -> None:
    sheet.write_sheet(tmp_path / "plain.png", views())
    with pytest.raises(FileFormatError, match="no recipe"):
        read_recipe(tmp_path / "plain.png")
    for name, data in {
        "text.png": b"not a picture",
        "cut.png": (tmp_path / "plain.png").read_bytes()[:60],
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FileFormatError, match=name.replace(".", r"\.")):
            read_recipe(tmp_path / name)
