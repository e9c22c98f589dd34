"""Which way an object is cut out of its picture: what the setting ``image_cut_out`` says."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.assets.images import segmentation
from engine.errors import InputError
from engine.prior.vision.entries import PHOTO_FOLDER, WITHOUT_MODEL
from engine.prior.vision.segment_anything import Box, load_segmenter

AUTO, ALPHA, CLASSICAL, NONE = WITHOUT_MODEL
MARGIN = 0.03
"""Of the picture's sides, that the box of an object is wider on each side; and that is left out where none is
foreseen.
"""


def cut_by(way: str, rgba: np.ndarray, folder: Path = PHOTO_FOLDER) -> tuple[np.ndarray, str]:
    """Straight RGBA (H,W,4) uint8 to premultiplied RGBA (H,W,4) float32 0..1, and how it was cut out, in
    words.

    ``auto`` takes a picture's alpha or else its background, ``alpha`` alpha alone, ``classical`` the
    background although there is alpha, ``none`` leaves the picture as it is; any other ``way`` is the id of a
    model, for pictures without alpha.

    Raises InputError if nothing, or everything, is left, and MissingError for a model that is not on this
    machine.
    """
    if way == AUTO:
        return segmentation.cut_out(rgba)
    if way == NONE:
        return _premultiplied(rgba), "alpha"
    if way == CLASSICAL:
        return segmentation.cut_out(_opaque(rgba))
    if segmentation.has_alpha(rgba):
        return segmentation.cut_out(rgba)
    if way == ALPHA:
        raise InputError(
            "The picture is opaque, and image_cut_out is 'alpha'.",
            "Save it with a transparent background, or set image_cut_out to auto.",
        )
    return _by_model(way, rgba, folder), f"outline as {way} sees it"


def _by_model(model_id: str, rgba: np.ndarray, folder: Path) -> np.ndarray:
    rgb = _opaque(rgba)[..., :3].astype(np.float32) / 255
    alpha = load_segmenter(model_id, folder).mask(rgb, box_of(rgb))[..., None]
    cut = np.concatenate([rgb * alpha, alpha], -1)
    segmentation.check_cut(cut[..., 3] > 0.5, model_id)
    return cut


def box_of(rgb: np.ndarray) -> Box:
    """Where the object of a picture (H,W,3) in 0..1 seems to be: round what its border does not foretell, or
    in most of it.
    """
    surprise, noise = segmentation.surprise_of(rgb)
    rows, columns = np.nonzero(surprise > segmentation.STRANGE + 2 * noise)
    if not len(rows):
        return (MARGIN, MARGIN, 1 - MARGIN, 1 - MARGIN)
    height, width = rgb.shape[:2]
    low, high = (
        (columns.min() / width, rows.min() / height),
        ((columns.max() + 1) / width, (rows.max() + 1) / height),
    )
    left, top = (max(0.0, edge - MARGIN) for edge in low)
    right, bottom = (min(1.0, edge + MARGIN) for edge in high)
    return left, top, right, bottom


def _premultiplied(rgba: np.ndarray) -> np.ndarray:
    picture = rgba.astype(np.float32) / 255
    return np.concatenate([picture[..., :3] * picture[..., 3:], picture[..., 3:]], -1)


def _opaque(rgba: np.ndarray) -> np.ndarray:
    """Over white."""
    picture = _premultiplied(rgba)
    rgb = picture[..., :3] + 1 - picture[..., 3:]
    return np.concatenate([np.round(255 * rgb), np.full_like(rgb[..., :1], 255)], -1).astype(np.uint8)
