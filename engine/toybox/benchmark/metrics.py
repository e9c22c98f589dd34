"""Distances between pictures, masks and point sets: pure functions of numpy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import KDTree
from skimage.metrics import structural_similarity


def psnr(picture: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of values in 0..1: -10 log10 of the mean squared error; infinite if
    there is none.
    """
    error = float(np.mean((np.asarray(picture, np.float64) - truth) ** 2))
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def ssim(picture: np.ndarray, truth: np.ndarray) -> float:
    """Structural similarity (Wang 2004) of pictures (H,W,C) in 0..1: Gaussian window 11 x 11 of sigma 1.5,
    mean of channels.
    """
    similarity: Any = structural_similarity(
        np.asarray(picture, np.float64), np.asarray(truth, np.float64), data_range=1.0, channel_axis=-1,
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    return float(similarity)


def mask_iou(alpha: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Intersection over union of what is more than half opaque, over the last two axes (H,W); two empty masks
    agree.
    """
    a, b = np.asarray(alpha) > 0.5, np.asarray(truth) > 0.5
    both, either = (a & b).sum((-2, -1)), (a | b).sum((-2, -1))
    return np.where(either == 0, 1.0, both / np.maximum(either, 1))


def nearest_distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Distance (N,) from each of ``points`` (N,3) to the nearest of ``others`` (M,3); infinite if there are
    none.
    """
    return KDTree(others).query(points)[0] if len(others) else np.full(len(points), np.inf)


def chamfer(points: np.ndarray, truth: np.ndarray, squared: bool = False) -> float:
    """Chamfer distance of two point sets: mean nearest distance one way plus the other way (L1), or of its
    squares (L2).
    """
    ways = (nearest_distances(points, truth), nearest_distances(truth, points))
    return float(sum(np.mean(way**2 if squared else way) if len(way) else np.inf for way in ways))


def f_score(points: np.ndarray, truth: np.ndarray, threshold: float) -> float:
    """Harmonic mean of precision and recall: shares of either set that lie nearer to the other than
    ``threshold``.
    """
    if not len(points) or not len(truth):
        return 0.0
    precision = float(np.mean(nearest_distances(points, truth) < threshold))
    recall = float(np.mean(nearest_distances(truth, points) < threshold))
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def mean_pairwise_distance(pictures: np.ndarray) -> float:
    """How different N things look: the mean over their pairs of the root mean squared difference; 0 for fewer
    than two.
    """
    stack = np.asarray(pictures, np.float64).reshape(len(pictures), -1)
    pairs = [np.sqrt(np.mean((stack[i] - stack[j]) ** 2)) for i in range(len(stack)) for j in range(i)]
    return float(np.mean(pairs)) if pairs else 0.0


def gradient_distance(picture: np.ndarray, truth: np.ndarray, scales: int = 3) -> float:
    """How differently the edges of two pictures (H,W,C) run, in 0..1: the mean over ``scales``, each half the
    size of the last.

    At each, the L1 distance of the gradients over the sum of their L1 norms: 0 for equal edges, 1 where none
    is shared. It is blind to a change of all colours alike, which PSNR sees. A distance of structure that
    needs no network, and is not LPIPS.
    """
    a, b = np.asarray(picture, np.float64), np.asarray(truth, np.float64)
    distances = []
    for _ in range(scales):
        change = sum(np.abs(np.diff(a, axis=axis) - np.diff(b, axis=axis)).sum() for axis in (0, 1))
        most = sum(np.abs(np.diff(side, axis=axis)).sum() for side in (a, b) for axis in (0, 1))
        distances.append(change / most if most > 0 else 0.0)
        a, b = halved(a), halved(b)
    return float(np.mean(distances))


def halved(pictures: np.ndarray) -> np.ndarray:
    """Pictures (...,H,W,C) of even sides at half the size: the means of 2 x 2 pixels."""
    *lead, height, width, channels = pictures.shape
    return pictures.reshape(*lead, height // 2, 2, width // 2, 2, channels).mean((-4, -2))
