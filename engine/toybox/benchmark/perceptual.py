"""How differently two pictures are perceived, by the features of the benchmark's own classifier.

The distance is made as LPIPS makes its own (arXiv 1801.03924, equation 1, all channels counting alike):
features of several depths, each pixel's brought to length 1, and their mean squared differences. The network
is the shipped `ToyClassifier` and not AlexNet or VGG, so that its numbers compare rows of one table and not
with LPIPS elsewhere.

Are its colours those of true objects? Distances of colour histograms, which see saturation and care for no
shape.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.toybox.classifier import ToyClassifier

OPAQUE = 0.5
LEVELS = 256
NOTHING_THERE = 1.0
"""The distance of what shows nothing: as far as two values in 0..1 can be."""


@torch.no_grad()
def perceptual_distance(classifier: ToyClassifier, rgba: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distances (V,) of pictures (V,64,64,4), premultiplied RGBA in 0..1: 0 for equal ones, at most 2."""
    pairs = zip(_features(classifier, rgba), _features(classifier, truth), strict=True)
    layers = [(a - b).square().sum(1).mean((1, 2)) for a, b in pairs]
    return torch.stack(layers).mean(0).numpy()


def _features(classifier: ToyClassifier, rgba: np.ndarray) -> list[Tensor]:
    """Features (V,C,h,w) at three depths, of length 1 at each pixel."""
    pictures = torch.from_numpy(np.ascontiguousarray(rgba, np.float32)).movedim(-1, 1)
    fine = classifier.fine(F.pixel_unshuffle(pictures - 0.3, 2))
    coarse = classifier.coarse(fine)
    deep = classifier.summary[:3](coarse)  # convolution, norm and ReLU, before it is flattened
    return [F.normalize(layer, dim=1, eps=1e-6) for layer in (fine, coarse, deep)]


def colour_histograms(rgba: np.ndarray) -> np.ndarray:
    """Shares (4,256) of the levels of red, green, blue and chroma in the opaque pixels of premultiplied
    pictures (...,4).

    Chroma is the largest of the three minus the smallest: saturation times value, which is steady in the dark
    where the quotient is not. All shares are 0 where nothing is opaque.
    """
    pixels = np.asarray(rgba, np.float64).reshape(-1, 4)
    pixels = pixels[pixels[:, 3] > OPAQUE]
    red, green, blue = (pixels[:, :3] / pixels[:, 3:]).clip(0, 1).T
    chroma = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    levels = [np.rint(values * (LEVELS - 1)).astype(int) for values in (red, green, blue, chroma)]
    return np.stack([np.bincount(level, minlength=LEVELS) for level in levels]) / max(len(pixels), 1)


def colour_distance(drawn: np.ndarray, true: np.ndarray) -> float:
    """Distance 0..1 of two sets of histograms: the mean of their four first Wasserstein (earth mover's)
    distances.

    In one dimension that is the area between the cumulative distributions.
    """
    if not drawn.any() or not true.any():
        return NOTHING_THERE if drawn.any() or true.any() else 0.0
    between = np.abs(np.cumsum(drawn - true, axis=1)[:, :-1])
    return float(between.sum(axis=1).mean() / (LEVELS - 1))


def chroma_shift(drawn: np.ndarray, true: np.ndarray) -> float:
    """How much more colourful the first is on average, -1..1: above 0 saturated, below 0 pale. Nothing has no
    colour.
    """
    return float((drawn[3] - true[3]) @ np.linspace(0, 1, LEVELS))
