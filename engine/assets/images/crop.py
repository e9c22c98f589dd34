"""Bring a cut-out object to where a prior expects one: in the middle of a square, as large as its own
pictures show it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.assets.images.flat_background import without_specks
from engine.errors import InputError

SOLID = 0.25  # alpha from which a pixel belongs to the object; of a fainter one, from half of its most
LEAST = 0.02  # alpha under which nothing is seen


@dataclass(frozen=True)
class Crop:
    """A square of the photo: its ``centre_x``, ``centre_y`` and ``side``, in pixels; it may reach beyond the
    photo.
    """

    centre_x: float
    centre_y: float
    side: float

    def __post_init__(self) -> None:
        if not (np.isfinite([self.centre_x, self.centre_y, self.side]).all() and self.side >= 4):
            raise InputError(
                f"The crop {self} is not a square of at least 4 pixels.",
                "Choose a larger part of the picture.",
            )


def crop_of(alpha: np.ndarray, fill: float) -> Crop:
    """The square in which the object of a mask (H,W) is in the middle, its longer side taking the share
    ``fill``.

    Specks beside it do not count. Raises InputError where the mask is empty.
    """
    most = float(alpha.max(initial=0))
    if most <= LEAST:
        raise InputError(
            "There is no object in the picture.", "Choose another picture, or cut it out yourself."
        )
    rows, columns = np.nonzero(without_specks(alpha > min(SOLID, most / 2)))
    low, high = np.array([columns.min(), rows.min()]), np.array([columns.max(), rows.max()]) + 1
    middle = (low + high) / 2
    return Crop(middle[0], middle[1], float((high - low).max() / fill))


def framed(rgba: np.ndarray, crop: Crop, size: int) -> np.ndarray:
    """Premultiplied RGBA (H,W,4) 0..1 cropped and scaled to (size,size,4), pixels averaged; empty beyond the
    photo.
    """
    from PIL import Image

    left, top = crop.centre_x - crop.side / 2, crop.centre_y - crop.side / 2
    first_column, first_row = int(np.floor(left)), int(np.floor(top))
    last_column, last_row = int(np.ceil(left + crop.side)), int(np.ceil(top + crop.side))
    padded = np.zeros((last_row - first_row, last_column - first_column, 4), np.float32)
    rows = slice(max(0, first_row), min(rgba.shape[0], last_row))
    columns = slice(max(0, first_column), min(rgba.shape[1], last_column))
    padded[
        rows.start - first_row : rows.stop - first_row,
        columns.start - first_column : columns.stop - first_column,
    ] = rgba[rows, columns]
    box = (left - first_column, top - first_row, left - first_column + crop.side, top - first_row + crop.side)
    channels = [
        Image.fromarray(np.ascontiguousarray(padded[..., c])).resize(
            (size, size), Image.Resampling.BOX, box=box
        )
        for c in range(4)
    ]
    return np.clip(np.stack([np.asarray(channel) for channel in channels], -1), 0, 1)
