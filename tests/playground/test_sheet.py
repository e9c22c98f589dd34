"""The sheet, the film and the tables: everything that was painted is on them, where it belongs."""

from __future__ import annotations

import json

import numpy as np

from engine.playground.grid import Grid, canvas_settings
from engine.playground.painting import SIZE, Painting
from engine.playground.play import document, table
from engine.playground.sheet import compose, film
from tests.loop.balls import ball_prior

COLOURS = ((200, 30, 30), (30, 200, 30), (30, 30, 200))
NUMBERS = {"loss": 1.5, "gradient_norm": 2.0, "saturation": 0.5, "burnt": 0.25, "covered": 0.5,
    "seconds": 3.0,
           "forwards_per_step": 2.0, "backwards_per_step": 0.0}  # fmt: skip
GRID = Grid(canvas_settings("a red ball", ball_prior().info), ("sds", "lods"), (1.0, 2.0))


def paintings() -> list[Painting]:
    """Three cells in plain colours that begin black, and one that failed."""
    cells = GRID.cells()
    done = []
    for cell, colour in zip(cells, COLOURS):
        frames = np.zeros((2, SIZE, SIZE, 3), np.uint8)
        frames[1] = colour
        losses = np.geomspace(9, 1, 100)
        done.append(
            Painting(cell, np.zeros((8, 8, 4), np.uint8), frames, np.array([1, 100]), losses, losses, NUMBERS)
        )
    return [*done, Painting(cells[3], trouble="this prior has no network to learn in")]


def where(sheet: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Rows and columns (N,2) of the pixels of that colour."""
    return np.argwhere((sheet == np.array(colour, np.uint8)).all(-1))


def test_pictures_stand_in_rows_of_methods_and_columns_of_scales() -> None:
    sheet = compose(GRID, paintings())
    red, green, blue = (where(sheet, colour) for colour in COLOURS)
    for pixels in (red, green, blue):
        assert SIZE**2 * 0.97 < len(pixels) <= SIZE**2, "whole but for its round corners"
    assert np.ptp(red[:, 0]) == np.ptp(red[:, 1]) == SIZE - 1
    assert red[:, 1].max() < green[:, 1].min() and red[:, 0].min() == green[:, 0].min()
    assert red[:, 0].max() < blue[:, 0].min() and red[:, 1].min() == blue[:, 1].min()


def test_words_are_drawn_and_a_trouble_is_one_of_them() -> None:
    whole = paintings()
    with_words, without = (
        compose(GRID, whole),
        compose(GRID, [*whole[:3], Painting(whole[3].cell, trouble=" ")]),
    )
    changed = np.argwhere((with_words != without).any(-1))
    blue, green = where(with_words, COLOURS[2]), where(with_words, COLOURS[1])
    assert len(changed) > 100
    assert changed[:, 0].min() >= blue[:, 0].min() and changed[:, 1].min() >= green[:, 1].min(), (
        "in its own cell"
    )
    assert changed[:, 1].max() <= green[:, 1].max(), "and not beyond it"


def test_what_is_not_painted_yet_leaves_the_rest_in_place() -> None:
    part = compose(GRID, paintings()[:1])
    np.testing.assert_array_equal(where(part, COLOURS[0]), where(compose(GRID, paintings()), COLOURS[0]))
    assert not len(where(part, COLOURS[1]))


def test_a_film_goes_from_the_first_frame_to_the_sheet() -> None:
    frames = list(film(GRID, paintings(), frames=3, rest=1))
    assert len(frames) == 4 and not len(where(frames[0], COLOURS[0])) and len(where(frames[2], COLOURS[0]))
    np.testing.assert_array_equal(frames[-1], compose(GRID, paintings()))


def test_long_and_foreign_words_do_not_break_the_sheet() -> None:
    base = canvas_settings("ein grüner Teekessel 茶壶 " + "x" * 900, ball_prior().info)
    assert compose(Grid(base, ("sds",), (1.0,)), []).shape[2] == 3


def test_numbers_are_plain_and_complete() -> None:
    whole = paintings()
    whole[0] = Painting(
        whole[0].cell, losses=np.array([1.0, np.nan]), numbers={**NUMBERS, "gradient_norm": float("nan")}
    )
    told = json.loads(json.dumps(document(GRID, whole), allow_nan=False))
    assert [cell["guidance_scale"] for cell in told["cells"]] == [1, 2, 1, 2] and told["settings"][
        "prompt"
    ] == "a red ball"
    assert told["cells"][0]["losses"] == [1.0, None] and "no network" in told["cells"][3]["trouble"]
    lines = table(GRID, whole).splitlines()
    assert sum(line.startswith("| SDS |") for line in lines) == 2 and "| – |" in lines[4]
    assert lines[-1] == "- LODS at 2: this prior has no network to learn in"
