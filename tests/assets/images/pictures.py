"""A mug that is drawn here, before backgrounds that are drawn here, so that its outline is known."""

from __future__ import annotations

import numpy as np

SIDE = 192
Y, X = np.mgrid[0:SIDE, 0:SIDE] / SIDE


def mug(body: tuple[float, float, float] = (0.75, 0.15, 0.15)) -> np.ndarray:
    """Premultiplied RGBA (SIDE,SIDE,4) of a body with a handle that can be looked through."""
    handle = np.hypot(X - 0.62, Y - 0.5)
    inside = ((X > 0.2) & (X < 0.55) & (Y > 0.25) & (Y < 0.75)) | (
        (handle > 0.09) & (handle < 0.17) & (X > 0.5)
    )
    rgba = np.zeros((SIDE, SIDE, 4), np.float32)
    rgba[inside] = (*body, 1)
    rgba[inside & (X >= 0.55)] = (0.15, 0.2, 0.8, 1)
    return rgba


def before(rgba: np.ndarray, background: np.ndarray | tuple[float, float, float]) -> np.ndarray:
    """Opaque bytes (SIDE,SIDE,4) of a premultiplied picture before a background."""
    rgb = np.clip(rgba[..., :3] + (1 - rgba[..., 3:]) * np.asarray(background), 0, 1)
    return np.concatenate([(255 * rgb + 0.5).astype(np.uint8), np.full((SIDE, SIDE, 1), 255, np.uint8)], -1)


def wall_and_table(edge: float = 0.6) -> np.ndarray:
    return np.where(Y[..., None] < edge, (0.92, 0.92, 0.9), (0.58, 0.4, 0.24))


def checkerboard(squares: int = 16) -> np.ndarray:
    odd = ((X * squares).astype(int) + (Y * squares).astype(int)) % 2
    return np.where(odd[..., None], 0.8, 1.0) * np.ones(3)


def letterbox(height: float = 0.14, inner: tuple[float, float, float] = (0.9, 0.92, 0.94)) -> np.ndarray:
    return np.where((np.abs(Y - 0.5) > 0.5 - height)[..., None], (0.0, 0.0, 0.0), inner)


def frame(width: float = 0.12, inner: tuple[float, float, float] = (0.94, 0.94, 0.94)) -> np.ndarray:
    return np.where(
        (np.maximum(np.abs(X - 0.5), np.abs(Y - 0.5)) > 0.5 - width)[..., None], (0.0, 0.0, 0.0), inner
    )


def with_shadow(colour: tuple[float, float, float], depth: float = 0.35) -> np.ndarray:
    dark = np.exp(-(((X - 0.45) / 0.3) ** 2) - ((Y - 0.75) / 0.06) ** 2)
    return np.array(colour) * (1 - depth * dark[..., None])


def iou(alpha: np.ndarray, truth: np.ndarray) -> float:
    a, b = alpha > 0.5, truth > 0.5
    return float((a & b).sum() / (a | b).sum())
