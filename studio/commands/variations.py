"""``python -m studio generate --variations N``: the same settings with several seeds in turn, and a sheet of
all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from tqdm import tqdm

from engine.assets.export.lettering import INK, clipped, font
from engine.assets.export.sheet import BACKGROUND, write_png
from engine.errors import InputError
from engine.loop.results import FILE_OF
from engine.session.library import has_checkpoint
from studio.commands.folders import ready
from studio.commands.generate_options import GenerateOptions

MOST = 100
SHEET = "variations.png"
COLUMNS, MARGIN = 4, 8  # of a result's own sheet of eight views
SHOWN = (0, 2, 4, 6)  # its front, left, back and right
SIDE, GAP, WORDS_WIDTH, WORDS_SIZE = 160, 6, 96, 15


def vary(options: GenerateOptions, first_seed: int, make: Callable[[GenerateOptions], None]) -> None:
    """Call ``make`` for each of ``options.variations`` seeds, each in a folder of its own, and draw all
    results on one sheet.

    With ``--resume``, finished ones are kept. Raises InputError for a number that is not allowed, else as
    ``make``.
    """
    count = options.variations
    if count is None or not 1 <= count <= MOST:
        raise InputError(
            f"--variations is {count}; allowed is 1 to {MOST}.", "Write for example --variations 4."
        )
    ready(options.out)
    seeds = range(first_seed, first_seed + count)
    for seed in seeds:
        folder = folder_of(options.out, seed)
        if options.resume and (folder / "result.json").is_file():
            continue
        tqdm.write(f"seed {seed}")
        make(replace(options, seed=seed, out=folder, resume=_resumes(options, folder)))
    rows = [
        (f"seed {seed}", path)
        for seed in seeds
        if (path := folder_of(options.out, seed) / FILE_OF["png"]).is_file()
    ]
    if rows:
        write_png(options.out / SHEET, compose_variations(rows))
        print(options.out / SHEET)


def folder_of(out: Path, seed: int) -> Path:
    """Where the result with this seed lies."""
    return out / f"seed-{seed}"


def compose_variations(rows: Sequence[tuple[str, Path]]) -> np.ndarray:
    """The sheet (H,W,3) uint8: a row for each result, its name before it, from the sheet of its views."""
    width = WORDS_WIDTH + len(SHOWN) * (SIDE + GAP) + GAP
    sheet = Image.new("RGB", (width, len(rows) * (SIDE + GAP) + GAP), BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    for number, (name, path) in enumerate(rows):
        top = GAP + number * (SIDE + GAP)
        pen.text(
            (2 * GAP, top + SIDE // 2 - 9),
            clipped(name, WORDS_SIZE, WORDS_WIDTH - 3 * GAP),
            fill=INK,
            font=font(WORDS_SIZE),
        )
        for column, view in enumerate(_views(path)):
            sheet.paste(view, (WORDS_WIDTH + column * (SIDE + GAP), top))
    return np.asarray(sheet)


def _views(path: Path) -> list[Image.Image]:
    """The shown views on a result's own sheet; fewer if it has fewer."""
    with Image.open(path) as sheet:
        side = (sheet.width - MARGIN) // COLUMNS - MARGIN
        places = [
            (MARGIN + k % COLUMNS * (side + MARGIN), MARGIN + k // COLUMNS * (side + MARGIN)) for k in SHOWN
        ]
        inside = [(left, top) for left, top in places if top + side <= sheet.height]
        return [
            sheet.crop((left, top, left + side, top + side)).resize((SIDE, SIDE)).convert("RGB")
            for left, top in inside
        ]


def _resumes(options: GenerateOptions, folder: Path) -> bool:
    return options.resume and has_checkpoint(folder)
