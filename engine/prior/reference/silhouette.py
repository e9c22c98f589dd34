"""Outlines: they know no kinds and no colours, so they compare any two shapes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

SIDE = 12
CENTRE = 0.5  # of coverage: inside counts up, outside down


def outline(rgba: np.ndarray) -> np.ndarray:
    """Coverage (N,144) in cells of the square round each object, less a half, at length 1; ``rgba`` (N,S,S,4)
    premultiplied.
    """
    return (
        np.stack([_outline(picture[..., 3]) for picture in rgba])
        if len(rgba)
        else np.zeros((0, SIDE * SIDE), np.float32)
    )


def outline_iou(alpha: Tensor, mask: Tensor) -> Tensor:
    """Intersection over union (B,) of silhouettes (B,H,W,1) in 0..1: the sum of minima over the sum of
    maxima.
    """
    union = torch.maximum(alpha, mask).sum((1, 2, 3))
    return torch.where(union > 0, torch.minimum(alpha, mask).sum((1, 2, 3)) / union.clamp(min=1e-12), 0.0)


def _outline(alpha: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(alpha > 0.25)
    if not len(rows):
        return np.zeros(SIDE * SIDE, np.float32)
    top, left, height, width = rows.min(), columns.min(), np.ptp(rows) + 1, np.ptp(columns) + 1
    side = max(height, width)
    square = np.zeros((side, side), np.float32)
    down, right = (side - height) // 2, (side - width) // 2
    square[down : down + height, right : right + width] = alpha[top : top + height, left : left + width]
    cells = _averaged(_averaged(square, side).T, side).T.ravel() - CENTRE
    return (cells / np.linalg.norm(cells)).astype(np.float32)


def _averaged(square: np.ndarray, side: int) -> np.ndarray:
    """Rows (side,M) to ``SIDE`` means over equal spans, with the shares of rows that lie across a border."""
    sums = np.concatenate([np.zeros((1, square.shape[1]), np.float32), np.cumsum(square, 0)])
    borders = np.linspace(0, side, SIDE + 1)
    low = np.minimum(borders.astype(int), side - 1)
    at = sums[low] + (borders - low)[:, None] * square[low]
    return np.diff(at, axis=0) * (SIDE / side)
