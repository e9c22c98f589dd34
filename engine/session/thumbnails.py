"""The small picture by which a run is known in the library: drawn once, when it ends, and kept in its
folder.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from engine.assets.export.files import atomic_path
from engine.loop.messages import Finished
from engine.session.job_views import Frames
from engine.session.worker import WriteResults

THUMBNAIL = "thumbnail.jpg"
SIDE, VIEW, QUALITY = 192, 1, 86  # pixels; the view half way between the front and its left


def with_thumbnail(write_results: WriteResults, frames: Frames) -> WriteResults:
    """The same function, which draws the thumbnail first; one that cannot be drawn keeps nothing from being
    written.
    """

    def written(finished: Finished, prior: str, folder: Path) -> dict[str, Path]:
        with suppress(Exception):
            save_thumbnail(frames.azimuth_strip(finished.copy, SIDE)[VIEW], folder)
        return write_results(finished, prior, folder)

    return written


def save_thumbnail(rgb: np.ndarray, folder: Path) -> None:
    """Keep a picture (H,W,3) uint8. Raises StorageError."""
    with atomic_path(folder / THUMBNAIL) as partial:
        Image.fromarray(rgb).save(partial, "JPEG", quality=QUALITY)
