"""Cut an object out of a photo: by its alpha, by its flat background, or by what its border looks like.

The last is a classical fallback that needs no download: colours of the border are learned as background, those of the middle as
object, and a random walk from both kinds of seeds (L. Grady, PAMI 2006) decides the rest along the edges of the picture.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from engine.errors import InputError
from engine.math.matte import FLAT, border_colour, matte

How = Literal["alpha", "flat background", "border colours"]

WALK_SIDE = 160  # pixels of the longer side on which the random walk is solved
LEAST_SHARE, MOST_SHARE = 0.002, 0.98  # of the picture that an object can fill
COLOUR_CLUSTERS = 6


def cut_out(rgba: np.ndarray) -> tuple[np.ndarray, How]:
    """Straight RGBA (H,W,4) uint8 to premultiplied RGBA (H,W,4) float32 0..1, and how it was cut out.

    Raises InputError if nothing, or everything, is left.
    """
    picture = rgba.astype(np.float32) / 255
    rgb, alpha = picture[..., :3], picture[..., 3:]
    if (alpha < 0.5).mean() > LEAST_SHARE:
        cut, how = np.concatenate([rgb * alpha, alpha], -1), "alpha"
    else:
        opaque = torch.from_numpy(np.ascontiguousarray(rgb))[None]
        flat = bool(border_colour(opaque)[1] <= FLAT)
        cut, how = (matte(opaque)[0].numpy(), "flat background") if flat else (_by_colours(rgb), "border colours")
    filled = float((cut[..., 3] > 0.5).mean())
    if not LEAST_SHARE < filled < MOST_SHARE:
        what = "nothing is left" if filled <= LEAST_SHARE else "nothing can be told from the background"
        raise InputError(
            f"Cutting the object out by its {how} failed: {what}.",
            "Use a picture with one object in the middle before a plain background, or one with a transparent background.",
        )
    return cut, how


def _by_colours(rgb: np.ndarray) -> np.ndarray:
    """Seeds by colour models of border and middle, then a random walk; solved small, and enlarged softly."""
    from skimage.segmentation import random_walker  # slow to import
    from skimage.transform import resize

    scale = min(1.0, WALK_SIDE / max(rgb.shape[:2]))
    small = resize(rgb, (max(8, round(rgb.shape[0] * scale)), max(8, round(rgb.shape[1] * scale))), anti_aliasing=True)
    seeds = _seeds(small)
    if not {1, 2} <= set(np.unique(seeds)):
        return np.concatenate([rgb, np.ones_like(rgb[..., :1])], -1)  # everything; `cut_out` says so
    inside = random_walker(small, seeds, beta=400, mode="cg_j", return_full_prob=True, channel_axis=-1)[1]
    share = resize(inside, rgb.shape[:2], order=1)
    alpha = np.clip((share - 0.35) / 0.3, 0, 1)[..., None].astype(np.float32)
    return np.concatenate([rgb * alpha, alpha], -1)


def _seeds(small: np.ndarray) -> np.ndarray:
    """1: surely background, 2: surely object, 0: to be decided; by nearest colour clusters of the border and of the middle."""
    height, width = small.shape[:2]
    ring = np.ones((height, width), bool)
    thick = max(1, round(min(height, width) * 0.04))
    ring[thick:-thick, thick:-thick] = False
    rows, columns = np.mgrid[0:height, 0:width]
    far = np.hypot((rows - height / 2) / height, (columns - width / 2) / width)
    outside, middle = _clusters(small[ring]), _clusters(small[far < 0.18])
    to_outside, to_middle = (_distance(small, centres) for centres in (outside, middle))
    seeds = np.zeros((height, width), np.int64)
    seeds[(to_outside < 0.05) & (to_middle > 2 * to_outside)] = 1
    seeds[(to_middle < 0.05) & (to_outside > 2 * to_middle) & (far < 0.4)] = 2
    seeds[ring] = 1
    return seeds


def _clusters(colours: np.ndarray) -> np.ndarray:
    """Centres (K,3) of the commonest colours."""
    from scipy.cluster.vq import kmeans2

    count = min(COLOUR_CLUSTERS, len(np.unique(colours.round(3), axis=0)))
    centres, labels = kmeans2(colours.astype(np.float64), count, minit="++", seed=0)
    return centres[np.bincount(labels, minlength=count) > 0.03 * len(colours)]


def _distance(small: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.linalg.norm(small[:, :, None] - centres, axis=-1).min(-1)
