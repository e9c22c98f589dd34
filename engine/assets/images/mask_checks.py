"""What an artist should look at in a cut-out picture: an outline that hardly differs from what is behind it, and cut holes."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion, binary_fill_holes, distance_transform_edt, gaussian_filter

PALE = 0.1  # largest channel difference across an outline under which it is a guess
PALE_SHARE = 0.35  # of the outline, that may be so pale
HOLE_SHARE = 0.004
REACH = 3
DRAWN, DRAWN_SHARE = 0.02, 0.15  # a slope that is a drawn line, and how many of them, beside the outline's length, are missed

_PALE_NOTE = "It hardly differs from its background, so that parts may be missing; check the outline, or cut it out yourself."
_HOLES_NOTE = "Where the background shows through, holes were cut; if they belong to the object, cut it out yourself."


def doubts_of(picture: np.ndarray, cut: np.ndarray, how: str) -> tuple[str, ...]:
    """Notes on a cut (H,W,4) premultiplied 0..1 of a picture (H,W,4) uint8; none for what an artist cut out."""
    inside = cut[..., 3] > 0.5
    if how == "alpha" or not inside.any() or inside.all():
        return ()
    rgb, notes = picture[..., :3].astype(np.float32) / 255, []
    if pale_share(rgb, inside) > PALE_SHARE or (how == "flat background" and lost_share(rgb, inside) > DRAWN_SHARE):
        notes.append(_PALE_NOTE)
    if (binary_fill_holes(inside) & ~inside).sum() > HOLE_SHARE * inside.sum():
        notes.append(_HOLES_NOTE)
    return tuple(notes)


def pale_share(rgb: np.ndarray, inside: np.ndarray) -> float:
    """Share of a mask's outline (H,W) across which the picture (H,W,3) in 0..1 hardly changes."""
    rim = inside & ~binary_erosion(inside, border_value=1)
    behind = binary_dilation(inside, iterations=REACH + 1) & ~binary_dilation(inside, iterations=REACH - 1)
    within = binary_erosion(inside, iterations=REACH, border_value=1)
    if not rim.any() or not behind.any() or not within.any():
        return 0.0
    out, deep = (distance_transform_edt(~near, return_distances=False, return_indices=True)[:, rim] for near in (behind, within))
    change = np.abs(rgb[tuple(out)] - rgb[tuple(deep)]).max(-1)
    return float((change < PALE).mean())


def lost_share(rgb: np.ndarray, inside: np.ndarray) -> float:
    """Lines drawn in what was cut away from a picture (H,W,3), beside the outline's length: a pale part leaves them behind."""
    smooth = gaussian_filter(rgb, (1, 1, 0))
    lines = np.hypot(*np.gradient(smooth, axis=(0, 1))).max(-1) > DRAWN
    rim = (inside & ~binary_erosion(inside, border_value=1)).sum()
    return float((lines & ~binary_dilation(inside, iterations=2 * REACH)).sum() / max(rim, 1))
