"""Pictures as settings name them: ``PATH[@AZIMUTH_DEG][*WEIGHT][#DIGEST]``, several with ``;`` between them,
and their crops.

The azimuth is that of the camera, 0 in front of the object. The digest is written by a run, so that a recipe
notices when a picture has changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import InputError

BETWEEN = ";"
MOST_PICTURES = 6
MOST_WEIGHT = 10.0
DIGEST_CHARACTERS = 16
AUTO, WHOLE = "auto", "whole"
FORM = "Write PATH, PATH@AZIMUTH or PATH@AZIMUTH*WEIGHT, for example mug.png@30*0.5, and ; between several."

_NUMBER = r"\d+(?:\.\d+)?|\.\d+"
_PICTURE = re.compile(
    rf"(?P<path>.+?)(?:@(?P<azimuth>[-+]?(?:{_NUMBER})))?(?:\*(?P<weight>{_NUMBER}))?(?:#(?P<digest>[0-9a-f]{{16}}))?"
)


@dataclass(frozen=True)
class Listed:
    """One picture: its file, where its camera stood, how much it counts, and the digest that its file should
    have (or "").
    """

    path: str
    azimuth_deg: float = 0.0
    weight: float = 1.0
    digest: str = ""

    def __str__(self) -> str:
        weight = "" if self.weight == 1 else f"*{self.weight:g}"
        return f"{self.path}@{self.azimuth_deg:g}{weight}" + (f"#{self.digest}" if self.digest else "")


@dataclass(frozen=True)
class ListedCrop:
    """A square by its centre, in shares of the picture's width and height, and its side, in shares of the
    longer one.
    """

    centre_x: float
    centre_y: float
    side: float


def pictures_in(text: str) -> tuple[Listed, ...]:
    """The pictures that a setting names. Raises InputError for one that is not of the form, and for too
    many.
    """
    parts = [part.strip() for part in text.split(BETWEEN)] if text.strip() else []
    if len(parts) > MOST_PICTURES:
        raise InputError(
            f"images names {len(parts)} pictures; at most {MOST_PICTURES} are allowed.",
            "Choose the best of them.",
        )
    return tuple(_picture(part) for part in parts)


def _picture(part: str) -> Listed:
    match = _PICTURE.fullmatch(part)
    if match is None:
        raise InputError(f"images has {part!r}, which names no picture.", FORM)
    azimuth, weight = float(match["azimuth"] or 0), float(match["weight"] or 1)
    if not (-360 <= azimuth <= 360 and 0 < weight <= MOST_WEIGHT):
        raise InputError(
            f"images has {part!r}; an azimuth lies in -360..360 and a weight above 0 and up to "
            f"{MOST_WEIGHT:g}.",
            FORM,
        )
    return Listed(match["path"].strip(), azimuth, weight, match["digest"] or "")


def listing(pictures: Sequence[Listed]) -> str:
    """The setting that names these pictures; `pictures_in` gives them back."""
    return BETWEEN.join(str(picture) for picture in pictures)


def crops_in(text: str, count: int) -> tuple[ListedCrop | str, ...]:
    """For each of ``count`` pictures its crop, ``auto`` or ``whole``; one serves all.

    Raises InputError for what is none of these.
    """
    parts = [part.strip() for part in text.split(BETWEEN)] if text.strip() else [AUTO]
    crops = tuple(_crop(part) for part in parts)
    if len(crops) not in (1, count) and count:
        raise InputError(
            f"image_crops has {len(crops)} crops for {count} pictures.",
            "Give one for all, or one each with ; between them.",
        )
    return crops * count if len(crops) == 1 else crops


def _crop(part: str) -> ListedCrop | str:
    if part in (AUTO, WHOLE):
        return part
    try:
        crop = ListedCrop(*(float(number) for number in part.split()))
    except (TypeError, ValueError):
        crop = None
    if crop is None or not (-1 <= crop.centre_x <= 2 and -1 <= crop.centre_y <= 2 and 0.01 <= crop.side <= 4):
        raise InputError(
            f"image_crops has {part!r}, which is no crop.",
            f"Write {AUTO}, {WHOLE}, or three numbers: centre x, centre y and side as shares of the "
            "picture, like 0.5 0.5 0.8.",
        )
    return crop
