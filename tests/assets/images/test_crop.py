"""Crops of cut-out pictures: centred, filled as asked, and nothing invented beyond the photo."""

from __future__ import annotations

import numpy as np
import pytest

from engine.assets.images.crop import Crop, crop_of, framed
from engine.errors import InputError


def box(
    height: int = 60, width: int = 100, rows: slice = slice(5, 25), columns: slice = slice(60, 100)
) -> np.ndarray:
    rgba = np.zeros((height, width, 4), np.float32)
    rgba[rows, columns] = (0.8, 0.4, 0.2, 1.0)
    return rgba


@pytest.mark.parametrize("fill", [0.5, 0.8, 1.0])
def test_the_object_is_in_the_middle_and_as_large_as_asked(fill: float) -> None:
    picture = framed(box(), crop_of(box()[..., 3], fill), 80)
    rows, columns = np.nonzero(picture[..., 3] > 0.5)
    assert (
        abs((columns.min() + columns.max() + 1) / 2 - 40) <= 1
        and abs((rows.min() + rows.max() + 1) / 2 - 40) <= 1
    )
    assert (np.ptp(columns) + 1) / 80 == pytest.approx(fill, abs=0.03)
    assert (np.ptp(rows) + 1) / (np.ptp(columns) + 1) == pytest.approx(0.5, abs=0.05)


def test_the_mean_is_kept_when_pixels_are_averaged() -> None:
    rgba = np.random.default_rng(0).random((64, 64, 4)).astype(np.float32)
    small = framed(rgba, Crop(32, 32, 64), 16)
    assert np.allclose(small, rgba.reshape(16, 4, 16, 4, 4).mean((1, 3)), atol=1e-5)


def test_the_same_size_changes_nothing() -> None:
    rgba = np.random.default_rng(1).random((32, 32, 4)).astype(np.float32)
    assert np.allclose(framed(rgba, Crop(16, 16, 32), 32), rgba, atol=1e-6)


def test_beyond_the_photo_is_nothing() -> None:
    picture = framed(np.ones((20, 20, 4), np.float32), Crop(10, 10, 40), 40)
    assert picture[10:30, 10:30].min() == 1 and picture.sum() == pytest.approx(20 * 20 * 4)
    assert framed(np.ones((20, 20, 4), np.float32), Crop(100, 100, 20), 16).max() == 0


def test_what_cannot_be_cropped_is_refused() -> None:
    with pytest.raises(InputError, match="no object"):
        crop_of(np.zeros((10, 10)), 0.8)
    for wrong in (0.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="crop"):
            Crop(0, 0, wrong)
