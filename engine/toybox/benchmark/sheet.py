"""A contact sheet of generated assets: each prompt over its asset seen all the way round, on a plain light
ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.errors import storage_errors
from engine.loop.frames import PAPER

COLUMNS = 2
MARGIN, GAP, LABEL, TEXT_SIZE = 28, 36, 30, 19
INK, LINE = (58, 56, 52), (222, 220, 214)


def write_sheet(
    path: Path, prompts: Sequence[str], strips: Sequence[np.ndarray], columns: int = COLUMNS
) -> None:
    """Write a PNG of N assets: ``strips`` are (V,S,S,3) uint8 over ``PAPER``. Raises StorageError."""
    sheet = compose(prompts, strips, columns)
    with storage_errors(path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        sheet.save(path, optimize=True)


def compose(prompts: Sequence[str], strips: Sequence[np.ndarray], columns: int = COLUMNS) -> Image.Image:
    """The sheet as a picture; assets run down the columns."""
    views, size = strips[0].shape[:2]
    rows = -(-len(strips) // columns)
    width, height = views * size, size + LABEL
    canvas = (2 * MARGIN + columns * width + (columns - 1) * GAP, 2 * MARGIN + rows * height)
    sheet = Image.new("RGB", canvas, tuple(round(255 * c) for c in PAPER))
    for i, (prompt, strip) in enumerate(zip(prompts, strips, strict=True)):
        column, row = divmod(i, rows)
        corner = (MARGIN + column * (width + GAP), MARGIN + row * height)
        _draw_row(sheet, corner, prompt, strip)
    return sheet


def _draw_row(sheet: Image.Image, corner: tuple[int, int], prompt: str, strip: np.ndarray) -> None:
    left, top = corner
    pen = ImageDraw.Draw(sheet)
    pen.line([(left, top), (left + strip.shape[0] * strip.shape[1], top)], fill=LINE)
    pen.text((left, top + 7), prompt, fill=INK, font=ImageFont.load_default(TEXT_SIZE))
    sheet.paste(Image.fromarray(np.concatenate(list(strip), axis=1)), (left, top + LABEL))
