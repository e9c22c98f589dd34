"""Animated pictures of few frames, all in memory at once, by Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.assets.export.files import atomic_path, read_errors
from engine.errors import FileFormatError, InputError

IMAGE_DESCRIPTION = 0x010E
MOST_PIXELS = 200_000_000
"""Of all frames together."""


def read_recipe(path: Path | str) -> str:
    """The recipe in an animated picture. Raises `FileFormatError` if there is none, or it is no such
    picture.
    """
    with read_errors(path):
        data = Path(path).read_bytes()
    try:
        with Image.open(BytesIO(data), formats=["WEBP", "GIF"]) as film:
            kept = (
                film.getexif().get(IMAGE_DESCRIPTION, "")
                if film.format == "WEBP"
                else film.info.get("comment", b"")
            )
    except (OSError, SyntaxError, ValueError) as error:
        raise FileFormatError(
            f"{path} is no WebP or GIF, or it is damaged.", "Choose a picture that Maquette exported."
        ) from error
    recipe = kept.encode("latin-1", "replace") if isinstance(kept, str) else kept
    if not recipe:
        raise FileFormatError(f"{path} holds no recipe.", "Choose a picture that Maquette exported.")
    return recipe.decode("utf-8", "replace")


def straight(frame: np.ndarray) -> np.ndarray:
    """A premultiplied RGBA picture (H,W,4) uint8 as most files keep it: colour undimmed beside its alpha."""
    alpha = frame[..., 3:].astype(np.float32)
    colour = np.where(alpha > 0, frame[..., :3] * (255 / np.maximum(alpha, 1)), 0)
    return np.concatenate([np.clip(colour + 0.5, 0, 255).astype(np.uint8), frame[..., 3:]], axis=-1)


def animation(path: Path, frames: Sequence[np.ndarray], kind: str, fps: int, recipe: str, **how: Any) -> None:
    """Write frames (H,W,3 or 4) uint8 that loop for ever. Raises `InputError` for too many,
    `StorageError`.
    """
    if not frames or len(frames) * frames[0].shape[0] * frames[0].shape[1] > MOST_PIXELS:
        raise InputError(
            f"{len(frames)} pictures are too many for a {kind}.", "Choose fewer or smaller ones, or a film."
        )
    first, *others = (Image.fromarray(frame) for frame in frames)
    if recipe and kind == "WEBP":
        exif = Image.Exif()
        exif[IMAGE_DESCRIPTION] = recipe.encode()
        how["exif"] = exif.tobytes()
    elif recipe:
        how["comment"] = recipe.encode()
    with atomic_path(path) as partial:
        first.save(
            partial, kind, save_all=True, append_images=others, duration=round(1000 / fps), loop=0, **how
        )
