"""Words on sheets: one font that comes with Pillow, its colours, and lines that fit."""

from __future__ import annotations

from functools import lru_cache

from PIL import ImageFont

PAGE, CARD, INK, SOFT, FAINT = (
    (255, 255, 255),
    (244, 243, 240),
    (38, 36, 33),
    (112, 108, 101),
    (232, 229, 223),
)
"""Colours of all sheets: the paper, what a picture stands on, words, lesser words, lines."""


@lru_cache(maxsize=16)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The sheets' font at a size in pixels."""
    return ImageFont.load_default(size)


def clipped(words: str, size: int, width: int) -> str:
    """``words``, shortened with dots where they are wider than ``width`` pixels."""
    if font(size).getlength(words) <= width:
        return words
    words = words[: width // 2]  # no letter is narrower, and measuring is slow
    while words and font(size).getlength(words + "…") > width:
        words = words[:-1]
    return words.rstrip() + "…"


def wrapped(words: str, size: int, width: int) -> list[str]:
    """``words`` in lines of at most ``width`` pixels; a word that is wider is cut."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font(size).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(clipped(word, size, width))
    return lines
