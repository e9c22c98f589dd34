"""Masks grown and filled by quick ways are those of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from engine.core.morphology import dilated, filled, grown


@pytest.mark.parametrize("shape", [(30, 41), (17, 20, 23)])
def test_quick_ways_give_what_scipy_gives(shape: tuple[int, ...]) -> None:
    mask = np.random.default_rng(0).random(shape) < 0.45
    before = mask.copy()
    np.testing.assert_array_equal(filled(mask), ndimage.binary_fill_holes(mask))
    thin = np.random.default_rng(1).random(shape) < 0.01
    for steps in (0, 1, 3):
        np.testing.assert_array_equal(grown(thin, steps), dilated(thin, iterations=steps) if steps else thin)
    np.testing.assert_array_equal(mask, before)
    assert filled(np.ones(shape, bool)).all() and not filled(np.zeros(shape, bool)).any()
