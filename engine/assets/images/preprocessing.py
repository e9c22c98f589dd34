"""What a run makes of one picture file, step by step: cut out, and framed by a crop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from engine.assets.images.crop import Crop, crop_of
from engine.assets.images.decoding import read_photo
from engine.assets.images.image_arguments import WHOLE, ListedCrop
from engine.assets.images.segmenters import AUTO, cut_by
from engine.core.morphology import dilated, eroded, filled

PALE = 0.1  # largest channel difference across an outline under which it is a guess
PALE_SHARE = 0.35  # of the outline, that may be so pale
HOLE_SHARE = 0.004
REACH = 3
# a slope that is a drawn line, and how many of them, beside the outline's length, are missed
DRAWN, DRAWN_SHARE = 0.02, 0.15

_PALE_NOTE = (
    "It hardly differs from its background, so that parts may be missing; check the outline, or "
    "cut it out yourself."
)
_HOLES_NOTE = (
    "Where the background shows through, holes were cut; if they belong to the object, cut it out yourself."
)


def doubts_of(picture: np.ndarray, cut: np.ndarray, how: str) -> tuple[str, ...]:
    """Notes on a cut (H,W,4) premultiplied 0..1 of a picture (H,W,4) uint8; none for what an artist cut
    out.
    """
    inside = cut[..., 3] > 0.5
    if how == "alpha" or not inside.any() or inside.all():
        return ()
    rgb, notes = picture[..., :3].astype(np.float32) / 255, []
    if pale_share(rgb, inside) > PALE_SHARE or (
        how == "flat background" and lost_share(rgb, inside) > DRAWN_SHARE
    ):
        notes.append(_PALE_NOTE)
    if (filled(inside) & ~inside).sum() > HOLE_SHARE * inside.sum():
        notes.append(_HOLES_NOTE)
    return tuple(notes)


def pale_share(rgb: np.ndarray, inside: np.ndarray) -> float:
    """Share of a mask's outline (H,W) across which the picture (H,W,3) in 0..1 hardly changes."""
    rim = inside & ~eroded(inside, border_value=1)
    behind = dilated(inside, iterations=REACH + 1) & ~dilated(inside, iterations=REACH - 1)
    within = eroded(inside, iterations=REACH, border_value=1)
    if not rim.any() or not behind.any() or not within.any():
        return 0.0
    out, deep = (
        np.asarray(distance_transform_edt(~near, return_distances=False, return_indices=True))[:, rim]
        for near in (behind, within)
    )
    change = np.abs(rgb[tuple(out)] - rgb[tuple(deep)]).max(-1)
    return float((change < PALE).mean())


def lost_share(rgb: np.ndarray, inside: np.ndarray) -> float:
    """Lines drawn in what was cut away from a picture (H,W,3), beside the outline's length: a pale part
    leaves them behind.
    """
    smooth = gaussian_filter(rgb, (1, 1, 0))
    down, across = np.gradient(smooth, axis=(0, 1))
    lines = np.hypot(down, across).max(-1) > DRAWN
    rim = (inside & ~eroded(inside, border_value=1)).sum()
    return float((lines & ~dilated(inside, iterations=2 * REACH)).sum() / max(rim, 1))


@dataclass(frozen=True, eq=False)
class CutPhoto:
    """``rgba`` (H,W,4) premultiplied float32 0..1, upright and cut out; ``notes`` say in words what was done
    to it.

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
    """The square of a cut-out picture that ``crop`` names; the automatic one gives the object the share
    ``fill`` of its side.
    """
    height, width = rgba.shape[:2]
    if crop == WHOLE:
        return Crop(width / 2, height / 2, max(height, width))
    if isinstance(crop, ListedCrop):
        return Crop(crop.centre_x * width, crop.centre_y * height, crop.side * max(height, width))
    return crop_of(rgba[..., 3], fill)
