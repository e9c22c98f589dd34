"""What the benchmark asks for: prompts and pictures of objects whose seeds nothing was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.toybox.captions import plain_caption
from engine.toybox.classifier import base_colour
from engine.toybox.dataset import HELD_OUT_SEED
from engine.toybox.objects import FIRST_KINDS, KINDS, KINDS_WITH_FRONT, ToyObject, draw_object

TEXT_SEED = HELD_OUT_SEED + 1_000
IMAGE_SEED = HELD_OUT_SEED + 20_000
BANK_SEED = HELD_OUT_SEED + 90_000
GEOMETRY_ROUND = 250  # of a kind's seeds, those from here on are for geometry
SEEDS_A_KIND = 500  # colours and shapes of a seed do not depend on the kind: each kind begins elsewhere

AZIMUTHS_DEG = tuple(45.0 * i for i in range(8))
ELEVATIONS_DEG = (15.0,) * len(AZIMUTHS_DEG)
"""From where a finished asset is judged."""


@dataclass(frozen=True)
class TextTask:
    """A prompt that names the colour of the body, and perhaps of one more part, and the held-out object that
    it describes.
    """

    index: int
    kind: str
    seed: int
    prompt: str
    colours: Mapping[str, str]

    @property
    def object(self) -> ToyObject:
        """The true object."""
        return draw_object(self.seed, self.kind, self.colours)


@dataclass(frozen=True)
class ImageTask:
    """A held-out object and the camera of the one picture that is given of it."""

    index: int
    seed: int
    azimuth_deg: float
    elevation_deg: float

    @property
    def object(self) -> ToyObject:
        """The true object."""
        return draw_object(self.seed)


def text_tasks(count: int) -> tuple[TextTask, ...]:
    """``count`` prompts, the first kinds in turn."""
    return tuple(
        _text_task(i, FIRST_KINDS[i % len(FIRST_KINDS)], i // len(FIRST_KINDS)) for i in range(count)
    )


def front_tasks(count: int) -> tuple[TextTask, ...]:
    """``count`` prompts of kinds that have a front, in turn; one has two colours, the next one, and so on."""
    fronts = [kind for kind in FIRST_KINDS if kind in KINDS_WITH_FRONT]
    return tuple(_text_task(i, fronts[i % len(fronts)], i // len(fronts), 2 - i % 2) for i in range(count))


def geometry_tasks(kinds: Sequence[str], count: int) -> tuple[TextTask, ...]:
    """``count`` objects of ``kinds`` in turn, with their captions; none of them is of the text half."""
    return tuple(_geometry_task(i, kinds[i % len(kinds)], i // len(kinds)) for i in range(count))


def _geometry_task(index: int, kind: str, round_: int) -> TextTask:
    seed = TEXT_SEED + SEEDS_A_KIND * KINDS.index(kind) + GEOMETRY_ROUND + round_
    obj = draw_object(seed, kind)
    return TextTask(
        index, kind, seed, plain_caption(obj), {part: obj.part_colours[part] for part in obj.bound}
    )


def _text_task(index: int, kind: str, round_: int, colours: int = 2) -> TextTask:
    """The round-th object of a kind of which so many parts have a colour that can be told from the others',
    the body first.
    """
    seed, matches = TEXT_SEED + SEEDS_A_KIND * KINDS.index(kind), -1
    while True:
        obj = draw_object(seed, kind)
        matches += _has_colours(obj, colours)
        if matches == round_:
            return TextTask(
                index, kind, seed, plain_caption(obj), {part: obj.part_colours[part] for part in obj.bound}
            )
        seed += 1


def _has_colours(obj: ToyObject, wanted: int) -> bool:
    colours = {base_colour(obj.part_colours[part]) for part in obj.bound}
    return len(obj.bound) == len(colours) == wanted and "body" in obj.bound


def image_tasks(count: int) -> tuple[ImageTask, ...]:
    """``count`` objects of any kind, each seen from the front side: azimuth about 30, elevation about 15
    degrees.
    """
    draws = [np.random.default_rng(IMAGE_SEED + i).uniform(-1, 1, 2) for i in range(count)]
    return tuple(
        ImageTask(i, IMAGE_SEED + i, 30 + 15 * float(a), 15 + 5 * float(e)) for i, (a, e) in enumerate(draws)
    )
