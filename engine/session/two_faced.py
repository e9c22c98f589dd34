"""Has the back grown a second front? Front and back are compared in the row of pictures that a timeline keeps
anyhow.

Seen from behind, an object without a face there shows other details than from the front. Where the details
are the same, and those of the sides are not, the prior has most likely painted the front twice (the "Janus
problem", arXiv 2209.14988). Things that are the same on both sides by design, such as a table, look so, too:
it is a hint, never a reason to stop, and a prior that is told the camera gives no reason for it (toybox: a
Janus rate of 0 %, while 16 % of its true objects have such backs).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from engine.prior.capabilities import info_of

SIDE = 40  # pixels of the pictures that are compared
BLUR = 5  # pixels over which the plain tone of a surface is averaged away
LEAST_DETAIL = 0.02  # standard deviation of what remains, 0..1, under which there is no face to be found
ALIKE, APART = 0.6, 0.25
"""From which likeness on, and how far above that of the sides, the back is taken for a second front."""


@cache
def paints_fronts(prior_id: str) -> bool:
    """Whether a prior may paint a front on the back: one that is not told from where it looks, or of which
    nothing is known.
    """
    info = info_of(prior_id)
    return info is None or not info.takes_cameras


@dataclass(frozen=True)
class Faces:
    """How like the details of the ``back`` and of the ``side`` are to the front's: -1..1, 1 the same.
    ``detail``: how much the front has of them, 0..1.
    """

    back: float = 0.0
    side: float = 0.0
    detail: float = 0.0

    @property
    def twice(self) -> bool:
        """Whether the back looks like a second front."""
        return self.detail >= LEAST_DETAIL and self.back >= ALIKE and self.back - self.side >= APART


def faces_in(images: np.ndarray) -> Faces:
    """Of pictures (V,S,S,3) uint8 evenly round the object, the front first, over an even ground; V must be a
    multiple of 4.
    """
    count = len(images)
    if count % 4:
        return Faces()
    ground = images[0, 0, 0].astype(np.float64) / 255
    front, side, back, other = (_details(images[count * k // 4], ground) for k in range(4))
    likeness = [_likeness(front, each) for each in (back, side, other)]
    return Faces(round(likeness[0], 3), round(max(likeness[1:]), 3), round(float(_masked(front).std()), 3))


Details = tuple[np.ndarray, np.ndarray]
"""What differs from the plain tone round it (S,S,3), and where the object is (S,S)."""


def _details(picture: np.ndarray, ground: np.ndarray) -> Details:
    small = np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BOX), np.float64) / 255
    there = np.abs(small - ground).max(axis=-1) > 0.04
    # at its border it is mixed with the ground
    solid = _blurred(there[..., None].astype(np.float64))[..., 0] > 0.999
    weight = _blurred(solid[..., None].astype(np.float64))
    tone = _blurred(small * solid[..., None]) / np.maximum(weight, 1e-6)
    return (small - tone) * solid[..., None], solid


def _blurred(picture: np.ndarray) -> np.ndarray:
    """A box blur along both axes."""
    kernel = np.ones(BLUR) / BLUR
    for axis in (0, 1):
        picture = np.apply_along_axis(np.convolve, axis, picture, kernel, "same")
    return picture


def _masked(details: Details) -> np.ndarray:
    return details[0][details[1]] if details[1].any() else np.zeros((1, 3))


def _likeness(one: Details, other: Details) -> float:
    """The correlation of details where both are solid, of the better of the two ways round: a face may look
    either way.
    """
    return max(_correlation(one, each) for each in (other, (other[0][:, ::-1], other[1][:, ::-1])))


def _correlation(one: Details, other: Details) -> float:
    both = one[1] & other[1]
    if both.sum() < SIDE:
        return 0.0
    a, b = one[0][both].ravel(), other[0][both].ravel()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 1e-9 else 0.0
