"""``generate --variations``: one seed after the other, each in its folder, what is finished kept, and a sheet
of all.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.assets.export.sheet import write_sheet
from engine.errors import InputError
from studio.commands.generate_options import GenerateOptions
from studio.commands.variations import SHEET, SIDE, WORDS_WIDTH, compose_variations, vary


def options(out: Path, count: int = 3, resume: bool = False) -> GenerateOptions:
    return GenerateOptions(out=out, variations=count, resume=resume, prompt="a red mug")


def view(grey: int) -> np.ndarray:
    return np.full((32, 32, 4), grey, np.uint8) | np.array([0, 0, 0, 255], np.uint8)


class Maker:
    """Writes a result of eight views as bright as its seed; ``made`` are the options that it was called
    with.
    """

    def __init__(self) -> None:
        self.made: list[GenerateOptions] = []

    def __call__(self, asked: GenerateOptions) -> None:
        self.made.append(asked)
        asked.out.mkdir(parents=True, exist_ok=True)
        write_sheet(asked.out / "views.png", np.stack([view(10 * asked.seed + k) for k in range(8)]))
        (asked.out / "result.json").write_text("{}")


def test_each_seed_has_a_folder_and_all_are_on_the_sheet(tmp_path: Path) -> None:
    maker = Maker()
    vary(options(tmp_path), 7, maker)
    assert [(each.seed, each.out.name, each.prompt) for each in maker.made] == [
        (seed, f"seed-{seed}", "a red mug") for seed in (7, 8, 9)
    ]
    sheet = np.asarray(Image.open(tmp_path / SHEET))
    middle = [sheet[SIDE // 2 + row * (SIDE + 6), WORDS_WIDTH + SIDE // 2] for row in range(3)]
    assert [int(each[0]) for each in middle] == [70, 80, 90]


def test_the_sheet_shows_front_left_back_and_right(tmp_path: Path) -> None:
    Maker()(GenerateOptions(out=tmp_path, seed=5))
    row = compose_variations([("seed 5", tmp_path / "views.png")])[SIDE // 2]
    assert [int(row[WORDS_WIDTH + SIDE // 2 + k * (SIDE + 6)][0]) for k in range(4)] == [50, 52, 54, 56]


def test_resuming_makes_only_what_is_missing(tmp_path: Path) -> None:
    vary(options(tmp_path, 2), 1, Maker())
    (tmp_path / "seed-3").mkdir()
    (tmp_path / "seed-3" / "checkpoint.pt").write_bytes(b"half way")
    maker = Maker()
    vary(options(tmp_path, 4, resume=True), 1, maker)
    assert [(each.seed, each.resume) for each in maker.made] == [(3, True), (4, False)]


@pytest.mark.parametrize("count", [0, -1, 101])
def test_other_numbers_are_refused_before_anything_is_made(count: int, tmp_path: Path) -> None:
    maker = Maker()
    with pytest.raises(InputError, match="--variations"):
        vary(options(tmp_path, count), 1, maker)
    assert not maker.made
