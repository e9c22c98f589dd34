"""One cell: what a run on a canvas leaves, and what is measured on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.loop.recipe import Recipe
from engine.playground.grid import Cell, Grid, canvas_settings
from engine.playground.painting import FRAMES, SIZE, Brushed, Painting, colour_numbers, paint
from engine.playground.play import ARRAYS, load, play, save
from tests.loop.balls import ball_prior

STEPS = 40
CHANGES = {"weighting": "denoise", "t_min": 0.2, "t_max": 0.8, "learning_rate": 3.0}


def grid(methods: tuple[str, ...] = ("sds",), scales: tuple[float, ...] = (1.0,), steps: int = STEPS) -> Grid:
    return Grid(canvas_settings("a red ball", ball_prior().info, steps=steps), methods, scales, CHANGES)


def painted(cell: Cell) -> Painting:
    *_, last = paint(cell, ball_prior())
    return last


@pytest.fixture(scope="module")
def ball() -> Painting:
    return painted(grid().cells()[0])


def test_the_picture_becomes_what_the_prior_knows(ball: Painting) -> None:
    middle, corner = ball.rgba[ball.rgba.shape[0] // 2, ball.rgba.shape[1] // 2], ball.rgba[0, 0]
    assert middle[0] > 2 * max(middle[1], middle[2]) and middle[3] > 150, "a red ball in the middle"
    assert corner[3] < 60, "nothing in the corner"
    assert ball.losses[-3:].mean() < ball.losses[:3].mean() / 2


def test_every_step_is_told_and_measured(ball: Painting) -> None:
    *steps, last = paint(grid().cells()[0], ball_prior())
    assert [event.step for event in steps] == list(range(1, STEPS + 1)) and all(
        isinstance(event, Brushed) for event in steps
    )
    assert len(last.losses) == len(last.gradient_norms) == STEPS
    np.testing.assert_array_equal(last.rgba, ball.rgba, "same settings, same picture")


def test_frames_end_with_the_picture(ball: Painting) -> None:
    assert ball.frames.shape == (len(ball.frame_steps), SIZE, SIZE, 3) and len(ball.frames) <= FRAMES
    assert ball.frame_steps[-1] == STEPS and np.all(np.diff(ball.frame_steps) > 0)


def test_passes_are_the_stated_cost() -> None:
    cells = grid(("sds", "lods"), (2.0,), steps=4).cells()
    numbers = [painted(cell).numbers for cell in cells]
    assert (numbers[0]["forwards_per_step"], numbers[0]["backwards_per_step"]) == (2, 0)
    assert numbers[1]["backwards_per_step"] == 1, "LODS teaches its embedding once a step"


def test_a_picture_holds_the_recipe_that_repeats_it(ball: Painting) -> None:
    assert Recipe.from_toml(ball.recipe).settings == grid().cells()[0].settings


def test_a_method_that_cannot_work_with_the_prior_says_why() -> None:
    cell = grid(("vsd",), (2.0,)).cells()[0]  # learns an adapter, and an analytic prior has no network
    *before, last = paint(cell, ball_prior())
    assert not before and "no network" in last.trouble and last.losses.size == 0


def test_what_is_not_allowed_is_not_run() -> None:
    (last,) = paint(Cell("sds", 500.0, None, "too much"), ball_prior())
    assert last.trouble == "too much"


def test_colours_have_closed_forms() -> None:
    def square(*colour: int) -> np.ndarray:
        picture = np.zeros((4, 4, 4), np.uint8)
        picture[:2] = colour
        return picture

    assert colour_numbers(square(255, 0, 0, 255)) == {"saturation": 1.0, "burnt": 1.0, "covered": 0.5}
    assert colour_numbers(square(100, 100, 100, 255)) == {"saturation": 0.0, "burnt": 0.0, "covered": 0.5}
    half = colour_numbers(square(160, 80, 120, 200))  # premultiplied: 0.8, 0.4, 0.6
    assert half["saturation"] == pytest.approx(0.5) and half["burnt"] == 0.0
    assert colour_numbers(square(20, 20, 20, 20)) == {"saturation": 0.0, "burnt": 0.0, "covered": 0.0}, (
        "nothing to see"
    )


def test_a_kept_cell_comes_back_as_it_was(ball: Painting, tmp_path: Path) -> None:
    save(ball, tmp_path)
    again = load(ball.cell, tmp_path)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(ball, name))
    assert (again.numbers, again.notes, again.recipe) == (ball.numbers, ball.notes, ball.recipe)
    assert load(grid(scales=(2.0,)).cells()[0], tmp_path) is None


def test_an_interrupted_grid_goes_on_with_the_cell_it_was_at(tmp_path: Path) -> None:
    wanted = grid(scales=(1.0, 1.5), steps=5)
    whole = [event for event in play(wanted, ball_prior()) if isinstance(event, Painting)]
    first = play(wanted, ball_prior(), tmp_path)
    while not (isinstance(event := next(first), Brushed) and event.cell.guidance_scale == 1.5):
        pass
    first.close()
    events = list(play(wanted, ball_prior(), tmp_path))
    assert isinstance(events[0], Painting), "the finished cell is not painted again"
    assert {event.cell.guidance_scale for event in events if isinstance(event, Brushed)} == {1.5}
    for ours, theirs in zip([event for event in events if isinstance(event, Painting)], whole):
        np.testing.assert_array_equal(ours.rgba, theirs.rgba)


def test_a_damaged_or_troubled_cell_is_painted_anew(ball: Painting, tmp_path: Path) -> None:
    save(ball, tmp_path)
    (tmp_path / ball.cell.key / "cell.npz").write_bytes(b"no archive")
    assert load(ball.cell, tmp_path) is None
    save(Painting(grid(("vsd",)).cells()[0], trouble="no network"), tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
