"""Cut an object out of a photo: by its alpha, by the flat tones behind it, or by what its border looks like.

The last is a classical fallback that needs no download: what the border foretells is background, what
surprises most is object, and a random walk from both kinds of seeds (L. Grady, PAMI 2006) decides the rest
along the edges of the picture.
"""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter

from engine.assets.images.flat_background import border_tones, cut_by_tones
from engine.core import morphology
from engine.core.morphology import dilated, eroded, pieces_of, propagated
from engine.errors import InputError

How = Literal["alpha", "flat background", "background of several tones", "border"]

WALK_SIDE = 128  # pixels of the longer side on which the random walk is solved
LEAST_SHARE, MOST_SHARE = 0.002, 0.98  # of the picture that an object can fill
LIKE, STRANGE = 0.03, 0.07  # colour distances from what the border foretells: surely background, surely not
LEAST_PIECE = 0.08  # of the largest piece of the object, that a further one must have
MAIN_SHARE = 0.6  # of what is found, that must hang together
WALK_BETA = 400.0
SEEN = 0.05  # alpha from which an artist's own cut shows something: glass and smoke are an object too


def cut_out(rgba: np.ndarray) -> tuple[np.ndarray, How]:
    """Straight RGBA (H,W,4) uint8 to premultiplied RGBA (H,W,4) float32 0..1, and how it was cut out.

    Raises InputError if nothing, or everything, is left.
    """
    picture = rgba.astype(np.float32) / 255
    rgb, alpha = picture[..., :3], picture[..., 3:]
    if has_alpha(rgba):
        cut, how = np.concatenate([rgb * alpha, alpha], -1), "alpha"
    else:
        cut, how = _before_background(rgb)
    check_cut(cut[..., 3] > (SEEN if how == "alpha" else 0.5), how)
    return cut, how


def _before_background(rgb: np.ndarray) -> tuple[np.ndarray, How]:
    thick = _thickness(*rgb.shape[:2])
    tones = border_tones(rgb, thick)
    if not tones:
        return _by_border(rgb), "border"
    return cut_by_tones(rgb, tones, thick), "flat background" if len(
        tones
    ) == 1 else "background of several tones"


def has_alpha(rgba: np.ndarray) -> bool:
    """True where enough of a picture (H,W,4) uint8 is see-through for an artist to have cut it out."""
    return bool((rgba[..., 3] < 128).mean() > LEAST_SHARE)


def check_cut(inside: np.ndarray, how: str) -> None:
    """Raises InputError for a mask (H,W) that is no object."""
    trouble = _trouble(inside, how)
    if trouble:
        raise InputError(
            f"Cutting the object out by its {how} failed: {trouble}.",
            "Use a picture with one object in the middle before a plain background, or one with a "
            "transparent background.",
        )


def _trouble(inside: np.ndarray, how: str) -> str:
    """What is wrong with a mask (H,W), in words; empty where nothing is. An artist's own alpha may have any
    number of parts.
    """
    if inside.mean() <= LEAST_SHARE:
        return "nothing is left"
    if inside.mean() >= MOST_SHARE:
        return "nothing can be told from the background"
    sizes = np.bincount(pieces_of(inside)[0].ravel())[1:]
    if how == "border" and sizes.max() < MAIN_SHARE * sizes.sum():
        return "the object, or its background, is too uneven, and it fell into pieces"
    return ""


def _by_border(rgb: np.ndarray) -> np.ndarray:
    """Seeds by what the border foretells, then a random walk; solved small, and enlarged softly."""
    from skimage.segmentation import random_walker  # slow to import

    scale = min(1.0, WALK_SIDE / max(rgb.shape[:2]))
    small = _resized(rgb, max(8, round(rgb.shape[0] * scale)), max(8, round(rgb.shape[1] * scale)))
    seeds = _seeds(small)
    if not {1, 2} <= set(np.unique(seeds)):
        return np.concatenate([rgb, np.ones_like(rgb[..., :1])], -1)  # everything; `cut_out` says so
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # probabilities a little outside 0..1
        inside = random_walker(
            small, seeds, beta=WALK_BETA, mode="cg_j", return_full_prob=True, channel_axis=-1
        )[1]
    open_through = surprise_of(small)[0] < LIKE
    share = _resized(_main_part(np.clip(inside, 0, 1), open_through)[..., None], *rgb.shape[:2])[..., 0]
    alpha = np.clip((share - 0.35) / 0.3, 0, 1)[..., None].astype(np.float32)
    return np.concatenate([rgb * alpha, alpha], -1)


def _resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """A picture (H,W,C) with other sides: averaged smoothly where it shrinks, interpolated where it grows."""
    from PIL import Image

    planes = [
        Image.fromarray(np.ascontiguousarray(plane, np.float32)) for plane in np.moveaxis(picture, -1, 0)
    ]
    return np.stack(
        [np.asarray(plane.resize((width, height), Image.Resampling.BILINEAR)) for plane in planes], -1
    )


def _seeds(small: np.ndarray) -> np.ndarray:
    """1: surely background, 2: surely object, 0: to be decided."""
    surprise, noise = surprise_of(small)
    ring = _ring(*small.shape[:2])
    alike = propagated(ring, mask=(surprise < LIKE + noise) | ring)
    strange = surprise > STRANGE + 2 * noise
    seeds = np.zeros(small.shape[:2], np.int64)
    seeds[eroded(strange)] = 2
    seeds[alike] = 1
    return seeds


def surprise_of(rgb: np.ndarray) -> tuple[np.ndarray, float]:
    """How unlike each pixel (H,W) is to what the picture's border foretells for its place, and how far the
    border itself varies.

    Foretold is what lies between the ends of its row, or of its column where those are less alike on the
    whole, and the smooth patch between all four sides (S. Coons, 1967): gradients and horizons are no
    surprise. The least of the differences counts.
    """
    smooth = gaussian_filter(rgb.astype(np.float64), (1, 1, 0))
    height, width = rgb.shape[:2]
    thick = _thickness(height, width)
    ends = [
        smooth[:, :thick].mean(1),
        smooth[:, -thick:].mean(1),
        smooth[:thick].mean(0),
        smooth[-thick:].mean(0),
    ]
    left, right, top, bottom = (gaussian_filter(end, (1, 0)) for end in ends)
    across, along = np.linspace(0, 1, width)[None, :, None], np.linspace(0, 1, height)[:, None, None]
    rows = left[:, None] * (1 - across) + right[:, None] * across
    columns = top[None] * (1 - along) + bottom[None] * along
    corners = (
        columns[:, :1] * (1 - across) + columns[:, -1:] * across + rows[:1] * (1 - along) + rows[-1:] * along
    ) / 2
    level = np.abs(left - right).mean() <= np.abs(top - bottom).mean()
    foretold = (rows if level else columns, rows + columns - corners)
    surprise = np.min([np.linalg.norm(smooth - colour, axis=-1) for colour in foretold], axis=0)
    near = _ring(height, width, 3) & ~_ring(height, width)
    return surprise, float(np.quantile(surprise[near], 0.75))


def _main_part(inside: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Without specks that are small beside the largest piece, and without holes through which nothing is seen
    of ``behind``.
    """
    pieces, count = pieces_of(inside > 0.5)
    if not count:
        return inside
    sizes = np.bincount(pieces.ravel())[1:]
    kept = np.isin(pieces, 1 + np.flatnonzero(sizes >= LEAST_PIECE * sizes.max()))
    near = dilated(kept, iterations=2)
    filled = morphology.filled(kept) & ~kept & ~dilated(behind & ~kept)
    return np.where(filled, 1.0, inside * near)


def _ring(height: int, width: int, times: int = 1) -> np.ndarray:
    ring = np.ones((height, width), bool)
    thick = times * _thickness(height, width)
    ring[thick:-thick, thick:-thick] = False
    return ring


def _thickness(height: int, width: int) -> int:
    return max(1, round(min(height, width) * 0.03))
