"""What a run makes of one picture file, step by step: cut out, and framed by a crop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.assets.images.crop import Crop, crop_of
from engine.assets.images.decoding import read_photo
from engine.assets.images.image_arguments import WHOLE, ListedCrop
from engine.assets.images.mask_checks import doubts_of
from engine.assets.images.segmenters import AUTO, cut_by


@dataclass(frozen=True, eq=False)
class CutPhoto:
    """``rgba`` (H,W,4) premultiplied float32 0..1, upright and cut out; ``notes`` say in words what was done to it.

    ``doubtful``: an artist should look at its outline.
    """

    rgba: np.ndarray
    notes: tuple[str, ...] = ()
    doubtful: bool = False


def cut_photo(path: Path, way: str = AUTO) -> CutPhoto:
    """The object in a picture file, cut out as ``image_cut_out`` says (see `cut_by`).

    Raises InputError, MissingError or FileFormatError for one that cannot be used.
    """
    photo = read_photo(path)
    rgba, how = cut_by(way, photo.rgba)
    doubts = doubts_of(photo.rgba, rgba, how)
    said = () if how == "alpha" else (f"The object was cut out by its {how}.", *doubts)
    return CutPhoto(rgba, (*photo.notes, *said), bool(doubts))


def square_of(rgba: np.ndarray, crop: ListedCrop | str, fill: float) -> Crop:
    """The square of a cut-out picture that ``crop`` names; the automatic one gives the object the share ``fill`` of its side."""
    height, width = rgba.shape[:2]
    if crop == WHOLE:
        return Crop(width / 2, height / 2, max(height, width))
    if isinstance(crop, ListedCrop):
        return Crop(crop.centre_x * width, crop.centre_y * height, crop.side * max(height, width))
    return crop_of(rgba[..., 3], fill)
