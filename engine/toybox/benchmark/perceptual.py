"""How differently two pictures are perceived, by the features of the benchmark's own classifier.

The distance is made as LPIPS makes its own (arXiv 1801.03924, equation 1, all channels counting alike): features of several
depths, each pixel's brought to length 1, and their mean squared differences. The network is the shipped `ToyClassifier` and not
AlexNet or VGG, so that its numbers compare rows of one table and not with LPIPS elsewhere.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.toybox.classifier import ToyClassifier


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
