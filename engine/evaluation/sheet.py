"""A contact sheet of judged assets: each prompt over its asset all the way round, a bar under each view for
its points.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from engine.assets.export.lettering import FAINT, INK, PAGE, SOFT, clipped, font
from engine.evaluation.judging import in_points
from engine.evaluation.report import Row

SIZE = 120  # side in pixels of one view
GOOD, WORST = (74, 124, 89), (206, 92, 60)
MARGIN, HEADER, LABEL, BAR, GAP, COLUMN_GAP = 36, 44, 30, 12, 26, 44
TEXT_SIZE, SMALL_SIZE = 18, 14


def compose(rows: Sequence[Row], strips: Sequence[np.ndarray], columns: int = 2) -> np.ndarray:
    """The sheet (H,W,3) uint8 of N judged rows with their ``strips`` (V,120,120,3) uint8, which run down the
    columns.
    """
    views = len(strips[0])
    columns = min(columns, len(rows))
    down, width, height = -(-len(rows) // columns), views * SIZE, LABEL + SIZE + BAR + GAP
    size = (
        2 * MARGIN + columns * (width + COLUMN_GAP) - COLUMN_GAP,
        2 * MARGIN + HEADER + down * height - GAP,
    )
    sheet = Image.new("RGB", size, PAGE)
    ImageDraw.Draw(sheet).text(
        (MARGIN, MARGIN - 8), _legend(rows[0], size[0] - 2 * MARGIN), fill=SOFT, font=font(SMALL_SIZE + 1)
    )
    for number, (row, strip) in enumerate(zip(rows, strips, strict=True)):
        column, place = divmod(number, down)
        _draw_row(sheet, MARGIN + column * (width + COLUMN_GAP), MARGIN + HEADER + place * height, row, strip)
    return np.asarray(sheet)


def _legend(row: Row, width: int) -> str:
    words = (
        f"{row.scorer.title} · from azimuth 0° on the left all the way round · bars: points of 100, "
        "red the worst azimuth"
    )
    return clipped(words, SMALL_SIZE + 1, width)


def _draw_row(sheet: Image.Image, left: int, top: int, row: Row, strip: np.ndarray) -> None:
    pen, width = ImageDraw.Draw(sheet), len(strip) * SIZE
    own = row.judgement
    assert own is not None, "only judged rows are drawn"
    caption = f"worst {own.worst:.0f} · mean {own.mean:.0f} · best region {own.quality:.0f}"
    room = width - int(font(SMALL_SIZE).getlength(caption)) - 20
    pen.text((left, top), clipped(row.asset.prompt, TEXT_SIZE, room), fill=INK, font=font(TEXT_SIZE))
    pen.text((left + width, top + 4), caption, fill=SOFT, font=font(SMALL_SIZE), anchor="ra")
    sheet.paste(Image.fromarray(np.concatenate(list(strip), axis=1)), (left, top + LABEL))
    points = in_points(np.array(own.azimuth_scores), row.scorer)
    for number, share in enumerate(_bar_lengths(points)):
        begin, under = left + number * SIZE + 4, top + LABEL + SIZE + 4
        colour = WORST if number == int(np.argmin(points)) else GOOD
        pen.rectangle((begin, under, begin + SIZE - 9, under + BAR - 7), fill=FAINT)
        pen.rectangle((begin, under, begin + max(1, round(share * (SIZE - 9))), under + BAR - 7), fill=colour)


def _bar_lengths(points: np.ndarray) -> np.ndarray:
    """Shares 0..1 of a full bar: 100 points fill it."""
    return np.clip(points / 100, 0, 1)
