"""Are its colours those of true objects? Distances of colour histograms, which see saturation and care for no shape."""

from __future__ import annotations

import numpy as np
from scipy.stats import wasserstein_distance

OPAQUE = 0.5
NOTHING_THERE = 1.0
"""The distance of what shows nothing: as far as two values in 0..1 can be."""


def colour_distance(rgba: np.ndarray, truth: np.ndarray) -> float:
    """Distance 0..1 of the colours that two sets of premultiplied pictures (...,4) show.

    The mean, over red, green, blue and chroma, of the first Wasserstein (earth mover's) distance of values in opaque pixels.
    """
    seen, true = channels(rgba), channels(truth)
    if not len(seen) or not len(true):
        return 0.0 if len(seen) == len(true) else NOTHING_THERE
    return float(np.mean([wasserstein_distance(a, b) for a, b in zip(seen.T, true.T)]))


def chroma_shift(rgba: np.ndarray, truth: np.ndarray) -> float:
    """How much more colourful the first pictures are than the second, -1..1: above 0 saturated, below 0 pale."""
    return _mean_chroma(rgba) - _mean_chroma(truth)


def channels(rgba: np.ndarray) -> np.ndarray:
    """Red, green, blue and chroma (N,4) in 0..1 of the N opaque pixels of premultiplied pictures (...,4).

    Chroma is the largest of the three minus the smallest: saturation times value, which is steady in the dark where the quotient
    is not.
    """
    pixels = np.asarray(rgba, np.float64).reshape(-1, 4)
    pixels = pixels[pixels[:, 3] > OPAQUE]
    rgb = (pixels[:, :3] / pixels[:, 3:]).clip(0, 1)
    return np.concatenate([rgb, np.ptp(rgb, axis=1, keepdims=True)], axis=1)


def _mean_chroma(rgba: np.ndarray) -> float:
    chroma = channels(rgba)[:, 3]
    return float(chroma.mean()) if len(chroma) else 0.0
