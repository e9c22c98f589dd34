"""Front and back are compared: a second face is noticed, one face, no face, and things that are round are not
taken for it.
"""

from __future__ import annotations

import numpy as np
import pytest

from engine.session.two_faced import faces_in, paints_fronts

S = 96


def row(*faces_at: int, eyes: bool = True, plain: bool = False) -> np.ndarray:
    """Eight views of a brown ball with a face at some of the azimuths, and a stripe on its left side."""
    pictures = []
    for view in range(8):
        y, x = np.mgrid[:S, :S] - S / 2
        picture = np.full((S, S, 3), 244, np.uint8)
        ball = x**2 + y**2 < (0.4 * S) ** 2
        picture[ball] = 150, 100, 60
        if not plain:
            picture[ball & (np.abs(x + 10 * (view - 4)) < 5) & (view != 0)] = 130, 90, 50
        if view * 45 in faces_at and eyes:
            for side in (-14, 14):
                picture[(x - side) ** 2 + (y + 10) ** 2 < 40] = 20, 20, 20
            picture[(np.abs(x) < 14) & (np.abs(y - 16) < 4)] = 200, 40, 40
        pictures.append(picture)
    return np.stack(pictures)


@pytest.mark.parametrize(("images", "twice"), [
    (row(0), False), (row(0, 180), True), (row(0, plain=True), False), (row(0, 180, plain=True), True),
    (row(plain=True), False), (row(0, 45, 90, 135, 180, 225, 270, 315), False), (row(180), False),
    (np.full((8, S, S, 3), 244, np.uint8), False), (row(0, 180)[:7], False),
])  # fmt: skip
def test_a_second_face_is_noticed(images: np.ndarray, twice: bool) -> None:
    assert faces_in(images).twice is twice, faces_in(images)


def test_noise_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    for faces, twice in (((0,), False), ((0, 180), True)):
        noisy = np.clip(row(*faces) + rng.normal(0, 5, (8, S, S, 3)), 0, 255).astype(np.uint8)
        assert faces_in(noisy).twice is twice


def test_only_priors_that_do_not_know_where_they_look_from_are_watched() -> None:
    """By design, the backs of many things are as their fronts: a mug's, a table's."""
    assert not paints_fronts("toybox") and paints_fronts("deepfloyd-if-1") and paints_fronts("of no list")
