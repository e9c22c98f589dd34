"""Prompts to begin with, each with a line drawing for the empty stage."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Example:
    """A ``prompt``, the ``word`` it is about, and strokes of an SVG path in a 64 x 64 box."""

    word: str
    prompt: str
    strokes: str


EXAMPLES = (
    Example(
        "Mug",
        "a red mug with a blue handle",
        "M16 18c0-3 6-5 13-5s13 2 13 5-6 5-13 5-13-2-13-5zM16 18v26c0 4 6 7 13 7s13-3 13-7V18M42 25h4c5 0 "
        "7 3 7 7s-3 8-11 9",
    ),
    Example(
        "Chair",
        "a blue chair with yellow legs",
        "M19 9l22 4v21l-22-3zM19 31l-4 5 23 4 3-6M15 36v18M38 40v17M41 34v17M20 37v11",
    ),
    Example(
        "House",
        "a white house with a red roof",
        "M9 29l14-15 26 5 7 14-19 4zM23 14l14 23M13 28v19l24 8 15-7V34M37 37v18M22 51V38l7 2v13M42 "
        "40l5-2v6l-5 2z",
    ),
    Example(
        "Rocket",
        "a white rocket with red fins",
        "M32 6c7 6 9 14 9 22 0 7-2 13-4 18H27c-2-5-4-11-4-18 0-8 2-16 9-22zM26 16h12M24 34l-8 9v9l11-6"
        "M40 34l8 9v9l-11-6M32 22a4 4 0 1 1 0 8 4 4 0 0 1 0-8M29 50l3 8 3-8",
    ),
    Example(
        "Car",
        "a green car with black wheels",
        "M6 38l5-8 10-2 7-9h16l8 10 6 3v9l-5 2M6 38v6l5 1M22 45h19M21 28h31M36 19v9"
        "M16.5 40a5 5 0 1 1 0 10 5 5 0 0 1 0-10M46.5 38a5 5 0 1 1 0 10 5 5 0 0 1 0-10",
    ),
    Example(
        "Lamp",
        "a black lamp with a yellow shade",
        "M24 10h16l9 20c-4 3-10 4-17 4s-13-1-17-4zM32 34v17M20 53c0-2 5-4 12-4s12 2 12 4-5 4-12 "
        "4-12-2-12-4zM41 33v8",
    ),
    Example(
        "Mushroom",
        "a red mushroom with white spots",
        "M9 31c0-12 10-21 23-21s23 9 23 21c0 4-10 6-23 6S9 35 9 31z"
        "M26 37c1 6 0 11-2 16 4 3 12 3 16 0-2-5-3-10-2-16M21 21a3 3 0 1 1 0 6 3 3 0 0 1 0-6"
        "M35 16a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7M45 25a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5",
    ),
    Example(
        "Cactus",
        "a green cactus in a brown pot",
        "M26 42V16c0-4 2-7 6-7s6 3 6 7v26M26 33h-5c-4 0-6-2-6-6v-5M38 29h5c4 0 6-2 6-6v-4M20 42h24l-3 "
        "14H23zM32 14v22",
    ),
)


def drawing(example: Example) -> str:
    """The example's line drawing as inline SVG."""
    return f'<svg viewBox="0 0 64 64" aria-hidden="true"><path d="{example.strokes}"/></svg>'


def tiles(examples: tuple[Example, ...] = EXAMPLES) -> str:
    """A contact sheet of buttons, each of which fills in its prompt."""
    return "".join(
        _button(each, "mq-tile", f"{drawing(each)}<span>{escape(each.prompt)}</span>") for each in examples
    )


def chips(examples: tuple[Example, ...] = EXAMPLES) -> str:
    """The same as a row of small words."""
    buttons = "".join(_button(each, "mq-chip", escape(each.word)) for each in examples)
    return f'<div class="mq-chips">{buttons}</div>'


def _button(example: Example, look: str, inside: str) -> str:
    prompt = escape(example.prompt)
    return f'<button type="button" class="{look}" data-prompt="{prompt}" title="{prompt}">{inside}</button>'
