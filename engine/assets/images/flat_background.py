"""Cut an object out before one or a few flat tones: a studio sweep, a wall over a table, letterbox bars, a
checkerboard.

The tones are read off the picture's border. What is joined to the border and like one of them is background;
so is a soft shadow, which keeps the tone's chroma and has no step at its edge, and so is what shows through a
hole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import (
    gaussian_filter,
    maximum_filter,
    uniform_filter,
)

from engine.core.morphology import dilated, opened, pieces_of, propagated

EVEN = 0.015  # how far the colours of a flat tone spread
NEAR = 0.06  # largest channel difference from a tone's colour within which the border is that tone
# distances from a tone that are background: of a compressed picture, and of a clean one
CLEAR, FAINT = 0.04, 0.014
LEAST_TONE = 0.03  # of the border, that a tone has at least
MOST_TONES = 4
SIDE_SHARE = (
    0.12  # of one side of the picture, that something has to cover to be a part of the background there
)
# of the object's area: the least hole that is cut, and what all specks together may have
HOLE, SPECKS = 0.004, 0.05
SPECK = 0.005  # of the largest piece, under which a piece is a speck
EDGE = 3  # pixels within which an outline is soft
SHADE = 0.45  # the darkest that a shadow leaves of a tone
STEP = 0.03  # a change from pixel to pixel, of 256, that is an edge and not a shadow's slope
SHADOW_SHARE = 1.0  # of the object's area; a larger "shadow" may be the object
# a picture within a dark frame: how dark, and how much of its box the inner picture fills
FRAME_DARK, FRAME_FILL = 0.1, 0.9


@dataclass(frozen=True, eq=False)
class Tone:
    """A flat colour (3,) of the border in 0..1, and the robust standard deviation ``spread`` of its most
    uneven channel.
    """

    colour: np.ndarray
    spread: float


def border_tones(rgb: np.ndarray, thick: int) -> tuple[Tone, ...]:
    """The flat tones of the border of a picture (H,W,3) in 0..1, the commonest first; empty where it is no
    such border.

    A tone beside the first must lie at opposite sides, or hold an upper corner: an object that leaves the
    picture lies at one. What is of no tone may lie at one side alone, for the same reason.
    """
    height, width = rgb.shape[:2]
    sides = _sides(height, width, thick)
    ring, tones = np.any(list(sides.values()), axis=0), []
    left = ring.copy()
    while len(tones) < MOST_TONES and left.sum() > LEAST_TONE * ring.sum():
        colour = _commonest(rgb[left])
        members = left & (np.abs(rgb - colour).max(-1) <= NEAR)
        if members.sum() < LEAST_TONE * ring.sum():
            break
        if not tones or _surrounds(members, sides):
            spread = 1.4826 * float(np.median(np.abs(rgb[members] - colour), axis=0).max())
            if spread > EVEN:
                return ()
            tones.append(Tone(colour, spread))
        elif _surrounds(left, sides):  # no tone, yet all round
            return ()
        left &= ~members
    return () if not tones or _surrounds(left, sides) else tuple(tones)


def cut_by_tones(rgb: np.ndarray, tones: tuple[Tone, ...], thick: int) -> np.ndarray:
    """A picture (H,W,3) before flat tones to premultiplied RGBA (H,W,4) float32."""
    inside = _inside(rgb, tones)
    framed = _tone_within_frame(rgb, tones, inside, thick)
    if framed is not None:
        tones = (*tones, framed)
        inside = _inside(rgb, tones)
    inside = without_specks(inside)
    distance, colour = _nearest(rgb, tones)
    alpha = _soft(distance, inside)[..., None].astype(np.float32)
    cut = np.minimum(np.maximum(rgb - (1 - alpha) * colour, 0), alpha)
    return np.concatenate([np.where(alpha < 1, cut, rgb), alpha], -1).astype(np.float32)


def without_specks(inside: np.ndarray) -> np.ndarray:
    """A mask (H,W) without pieces that are tiny beside the largest, unless there are so many that they are
    the object.
    """
    pieces, count = pieces_of(inside, np.ones((3, 3)))
    if count < 2:
        return inside
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    tiny = sizes < SPECK * sizes.max()
    return inside if sizes[tiny].sum() > SPECKS * sizes.sum() else inside & ~tiny[pieces]


def _sides(height: int, width: int, thick: int) -> dict[str, np.ndarray]:
    masks = {name: np.zeros((height, width), bool) for name in ("left", "right", "top", "bottom")}
    masks["left"][:, :thick] = masks["right"][:, -thick:] = True
    masks["top"][:thick] = masks["bottom"][-thick:] = True
    return masks


def _surrounds(mask: np.ndarray, sides: dict[str, np.ndarray]) -> bool:
    """Whether a mask lies at opposite sides of the picture, or at its top and a side."""
    at = {name for name, side in sides.items() if (mask & side).sum() >= SIDE_SHARE * side.sum()}
    return any(
        pair <= at for pair in ({"left", "right"}, {"top", "bottom"}, {"top", "left"}, {"top", "right"})
    )


def _commonest(pixels: np.ndarray) -> np.ndarray:
    """The median (3,) of the pixels (N,3) round the commonest of 16 levels a channel, wherever the levels'
    borders lie.
    """
    counts = np.zeros((17, 17, 17))
    np.add.at(counts, tuple(np.clip(pixels * 16, 0, 16).astype(int).T), 1)
    centre = np.unravel_index(uniform_filter(counts, 2, mode="constant").argmax(), counts.shape)
    near = np.abs(pixels - np.array(centre) / 16).max(1) <= 1 / 16 + 1e-6
    return np.median(pixels[near] if near.any() else pixels, axis=0)


def _nearest(rgb: np.ndarray, tones: tuple[Tone, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Largest channel difference (H,W) from the nearest tone, beyond its own noise, and that tone's colour
    (H,W,3).
    """
    distances = np.stack([np.abs(rgb - tone.colour).max(-1) - 2 * tone.spread for tone in tones])
    return np.maximum(distances.min(0), 0), np.stack([tone.colour for tone in tones])[distances.argmin(0)]


def _clear(distance: np.ndarray) -> float:
    """Up to which distance (H,W) all is background: less where the border is clean, as pictures drawn by a
    computer are.
    """
    edge = np.concatenate(
        [distance[:4].ravel(), distance[-4:].ravel(), distance[:, :4].ravel(), distance[:, -4:].ravel()]
    )
    return float(
        np.clip(3 * np.quantile(edge[edge < CLEAR], 0.98) if (edge < CLEAR).any() else CLEAR, FAINT, CLEAR)
    )


def _inside(rgb: np.ndarray, tones: tuple[Tone, ...]) -> np.ndarray:
    """The mask (H,W) of the object: neither joined to the border and like its tones, nor a shadow, nor seen
    through a hole.
    """
    distance, colour = _nearest(rgb, tones)
    meeting = _between(rgb, tones)
    like, nearly = (distance <= _clear(distance)) | meeting, (distance <= CLEAR) | meeting
    outside = _grown(nearly)
    faint = outside & ~_grown(like)
    outside &= ~propagated(opened(faint, iterations=EDGE), mask=faint)  # pale parts, but not a halo
    shadow = _grown(outside | like | _shaded(rgb, colour)) & ~outside
    if 0 < shadow.sum() <= SHADOW_SHARE * (~outside & ~shadow).sum():
        outside |= shadow
    return ~outside & ~dilated(_holes(like, outside), iterations=EDGE, mask=nearly)


def _grown(allowed: np.ndarray) -> np.ndarray:
    seeds = np.zeros_like(allowed)
    seeds[[0, -1]], seeds[:, [0, -1]] = allowed[[0, -1]], allowed[:, [0, -1]]
    return propagated(seeds, mask=allowed)


def _between(rgb: np.ndarray, tones: tuple[Tone, ...]) -> np.ndarray:
    """Where (H,W) two tones meet: close to both, and of a colour between them."""
    between = np.zeros(rgb.shape[:2], bool)
    areas = [dilated(np.abs(rgb - tone.colour).max(-1) <= CLEAR, iterations=EDGE) for tone in tones]
    for i, first in enumerate(tones):
        for j, second in enumerate(tones[:i]):
            axis = second.colour - first.colour
            along = np.clip(((rgb - first.colour) @ axis) / max(float(axis @ axis), 1e-9), 0, 1)[..., None]
            between |= areas[i] & areas[j] & (np.abs(rgb - first.colour - along * axis).max(-1) <= CLEAR)
    return between


def _shaded(rgb: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Where (H,W) a picture is its tone made darker, and changes only slowly."""
    smooth = gaussian_filter(rgb.astype(np.float64), (1, 1, 0))
    share = (smooth * colour).sum(-1) / np.maximum((colour * colour).sum(-1), 1e-6)
    chroma = np.abs(smooth - share[..., None] * colour).max(-1)
    slope = np.hypot(*np.gradient(smooth.mean(-1)))
    step = STEP * min(1.0, 256 / max(rgb.shape[:2]))
    return (share > SHADE) & (share < 1 + CLEAR) & (chroma <= CLEAR / 2) & (slope <= step)


def _holes(like: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Parts (H,W) of a tone within the object that are too large to be an eye or a gleam."""
    pieces, count = pieces_of(like & ~outside)
    if not count:
        return np.zeros_like(like)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return (sizes >= max(9, HOLE * (~outside).sum()))[pieces]


def _tone_within_frame(
    rgb: np.ndarray, tones: tuple[Tone, ...], inside: np.ndarray, thick: int
) -> Tone | None:
    """The background of a picture within a dark frame: what is left is a rectangle, and the rim of that is
    flat again.
    """
    if len(tones) != 1 or tones[0].colour.max() > FRAME_DARK or not inside.any():
        return None
    rows, columns = np.flatnonzero(inside.mean(1) > 0.3), np.flatnonzero(inside.mean(0) > 0.3)
    if not len(rows) or not len(columns) or min(len(rows), len(columns)) < 8 * thick:
        return None
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    if inside[box].mean() < FRAME_FILL:
        return None
    within = border_tones(rgb[box], thick)
    return within[0] if within and np.abs(within[0].colour - tones[0].colour).max() > 2 * NEAR else None


def _soft(distance: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Alpha (H,W): 1 in the object; near its outline as far as a pixel is from the tone, beside the farthest
    one near it.
    """
    near_outside = dilated(~inside, iterations=EDGE)
    near_inside = dilated(inside, iterations=1)
    most = maximum_filter(np.where(near_inside, distance, 0), 2 * EDGE + 1)
    share = np.clip(distance / np.maximum(0.9 * most, 1e-6), 0, 1)
    return np.where(inside & ~near_outside, 1.0, np.where(near_inside, share, 0.0))
