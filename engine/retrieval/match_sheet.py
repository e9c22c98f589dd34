"""A sheet of matches to look at: a picture of each, its name, how similar it is, where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from engine.assets.export.lettering import CARD, INK, PAGE, SOFT, clipped, font, wrapped
from engine.assets.export.sheet import write_png
from engine.assets.meshes.render_maps import thumbnail
from engine.errors import InputError, StudioError
from engine.retrieval.embed_views import shape_of
from engine.retrieval.items import Match

SIDE, MARGIN, GUTTER, WORDS_HEIGHT, HEADER = 180, 28, 16, 78, 48
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 22, 15, 13


def compose_matches(matches: Sequence[Match], title: str, columns: int = 5) -> np.ndarray:
    """The sheet (H,W,3) uint8, best match first. Raises `InputError` if there is nothing on it."""
    if not matches:
        raise InputError(
            "There is nothing to put on the sheet.", "Search for something else, or in another folder."
        )
    columns = min(columns, len(matches))
    rows = -(-len(matches) // columns)
    width = max(2 * MARGIN + columns * (SIDE + GUTTER) - GUTTER, 420)
    height = MARGIN + HEADER + rows * (SIDE + WORDS_HEIGHT) + MARGIN // 2
    sheet = Image.new("RGB", (width, height), PAGE)
    words = clipped(title, TITLE_SIZE, width - 2 * MARGIN)
    ImageDraw.Draw(sheet).text((MARGIN, MARGIN - 4), words, fill=INK, font=font(TITLE_SIZE))
    for number, match in enumerate(matches):
        row, column = divmod(number, columns)
        _card(sheet, match, MARGIN + column * (SIDE + GUTTER), MARGIN + HEADER + row * (SIDE + WORDS_HEIGHT))
    return np.asarray(sheet)


def write_matches(path: Path, matches: Sequence[Match], title: str) -> None:
    """Write the sheet as PNG. Raises `StorageError`."""
    write_png(path, compose_matches(matches, title))


def _card(sheet: Image.Image, match: Match, left: int, top: int) -> None:
    pen = ImageDraw.Draw(sheet)
    try:
        picture = thumbnail(shape_of(match.item), SIDE).astype(np.uint16)
        over = (
            (picture[..., :3] + np.array(CARD, np.uint16) * (255 - picture[..., 3:]) // 255)
            .clip(0, 255)
            .astype(np.uint8)
        )
        sheet.paste(Image.fromarray(over), (left, top))
    except StudioError as error:  # a file may have changed since it was indexed
        pen.rectangle((left, top, left + SIDE - 1, top + SIDE - 1), fill=CARD)
        for number, line in enumerate(wrapped(str(error), SMALL_SIZE, SIDE - 20)[:6]):
            pen.text((left + 10, top + 40 + 17 * number), line, fill=SOFT, font=font(SMALL_SIZE))
    for number, line in enumerate(wrapped(match.item.caption, TEXT_SIZE, SIDE)[:2]):
        pen.text((left, top + SIDE + 6 + 18 * number), line, fill=INK, font=font(TEXT_SIZE))
    near = f"{match.similarity:.2f} · " if np.isfinite(match.similarity) else ""
    facts = f"{near}{match.item.licence} · {match.item.source}"
    pen.text((left, top + SIDE + 46), clipped(facts, SMALL_SIZE, SIDE), fill=SOFT, font=font(SMALL_SIZE))
