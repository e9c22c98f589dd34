"""Pictures for the wire: uint8 arrays to JPEG bytes."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image


def jpeg(rgb: np.ndarray, quality: int = 86) -> bytes:
    """JPEG bytes of ``rgb`` (H,W,3) uint8."""
    buffer = BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def contact_row(images: np.ndarray) -> np.ndarray:
    """Pictures (V,H,W,3) side by side in one (H, V*W, 3)."""
    views, height, width, channels = images.shape
    return np.ascontiguousarray(images.transpose(1, 0, 2, 3)).reshape(height, views * width, channels)


def contact_grid(images: np.ndarray, columns: int = 4) -> np.ndarray:
    """Pictures (V,H,W,3) in full rows of ``columns``, or all in one where they fill none."""
    full = len(images) // columns * columns
    if full == 0:
        return contact_row(images)
    return np.concatenate([contact_row(images[k : k + columns]) for k in range(0, full, columns)])


def contact_rows(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Two rows of as many pictures; ``above`` (V,h,w,3) is brought to the size of ``below`` (V,H,W,3)."""
    height, width = below.shape[1:3]
    fitted = np.stack(
        [
            np.asarray(Image.fromarray(each).resize((width, height), Image.Resampling.BICUBIC))
            for each in above
        ]
    )
    return np.concatenate([contact_row(fitted), contact_row(below)])
