"""Read a picture file that anybody may have made: bounded in size, turned upright, in plain RGB with alpha.

Only the formats that artists exchange are opened, and a file's header is checked before its pixels are decoded, so that a
decompression bomb is refused at the cost of reading a few bytes.
"""

from __future__ import annotations

import stat
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from engine.errors import FileFormatError, InputError, MissingError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
MAX_BYTES = 64 << 20
MAX_PIXELS = 100_000_000
MAX_SIDE = 1536
"""Pixels of the longer side that are kept: far more than any prior looks at."""

MIN_SIDE = 16
ORIENTATION = 0x0112  # in EXIF


@dataclass(frozen=True, eq=False)
class Photo:
    """``rgba`` (H,W,4) uint8, straight alpha; ``notes`` say in words what had to be changed."""

    rgba: np.ndarray
    notes: tuple[str, ...] = ()


def read_photo(path: Path | str) -> Photo:
    """The picture in a file. Raises `MissingError`, `InputError` (too large, too small) or `FileFormatError` (not a picture)."""
    path = Path(path)
    check_bytes(path)
    try:
        return decode_photo(path.read_bytes(), path.name)
    except OSError as error:
        raise _unreadable(path, error) from error


def check_bytes(path: Path) -> None:
    """Raises InputError for a file that is too large to be read, `MissingError` for one that is not there."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # a name may hold what no name can
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(status.st_mode):  # a folder, or a pipe or device, which may never end
        raise MissingError(f"{path} is not a picture's file.", "Check the path.")
    if status.st_size > MAX_BYTES:
        raise InputError(
            f"{path.name} is {status.st_size / 1e6:,.0f} MB; pictures may have at most {MAX_BYTES / 1e6:,.0f} MB.",
            "Save it smaller.",
        )


def _unreadable(path: Path, error: OSError | ValueError) -> MissingError:
    reason = getattr(error, "strerror", None) or error
    return MissingError(f"The picture {path} cannot be read ({reason}).", "Check the path.")


def decode_photo(data: bytes, name: str) -> Photo:
    """The picture in ``data``; errors as `read_photo`'s, which speak of it by ``name``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is stricter
            with Image.open(BytesIO(data), formats=FORMATS) as picture:
                _check_size(picture, name)
                return _upright(picture)
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise FileFormatError(
            f"{name} is not a picture that can be opened.", f"Save it as {' or '.join(FORMATS[:3])}."
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError, ImageCms.PyCMSError) as error:
        raise FileFormatError(f"{name} is damaged ({error}).", "Save it again, or choose another file.") from error


def _check_size(picture: Image.Image, name: str) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{name} has {width:,} x {height:,} pixels; at most {MAX_PIXELS:,} in all are allowed.", "Scale it down."
        )
    if min(width, height) < MIN_SIDE:
        raise InputError(f"{name} has {width} x {height} pixels; each side needs at least {MIN_SIDE}.", "Choose a larger one.")


def _upright(picture: Image.Image) -> Photo:
    """Turned as its camera was held, in sRGB, small enough; only the first of several frames."""
    notes = []
    if getattr(picture, "n_frames", 1) > 1:
        notes.append(f"It has {picture.n_frames} frames; the first is used.")
        picture.seek(0)
    picture.draft("RGB", (MAX_SIDE, MAX_SIDE))  # JPEG decodes large pictures reduced
    turned = ImageOps.exif_transpose(_smaller(picture))
    rgba = _in_srgb(turned, notes).convert("RGBA")
    if max(rgba.size) > MAX_SIDE:
        rgba.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return Photo(np.asarray(rgba).copy(), tuple(notes))


def _smaller(picture: Image.Image) -> Image.Image:
    """A very large picture by a whole factor smaller, still with twice what is kept: nothing copies all of its pixels after."""
    factor = max(picture.size) // (2 * MAX_SIDE)
    if factor < 2:
        return picture
    if picture.mode in ("L", "RGB", "CMYK"):
        small = picture.reduce(factor)  # the means
    else:  # the nearest: palettes and deep greys have no mean, and with alpha everything would be copied first
        small = picture.resize((picture.width // factor, picture.height // factor), Image.Resampling.NEAREST)
    small.info = dict(picture.info)
    if ORIENTATION in picture.getexif():  # some formats keep it elsewhere
        small.getexif()[ORIENTATION] = picture.getexif()[ORIENTATION]
    return small


def _in_srgb(picture: Image.Image, notes: list[str]) -> Image.Image:
    """Without its own colour profile or ink colours; deep greys scaled to eight bits."""
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture, np.float64)
        top = 65535.0 if values.max() > 255 else 255.0
        return Image.fromarray(np.clip(values / top * 255, 0, 255).astype(np.uint8))
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK"):
        notes.append("Its colours were converted to sRGB.")
        try:
            return ImageCms.profileToProfile(picture, ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB"),
                                             outputMode="RGB")  # fmt: skip
        except ImageCms.PyCMSError:  # a broken profile: the plain numbers are the better guess
            notes[-1] = "Its colour profile is broken and was ignored."
    if picture.mode == "CMYK":
        notes.append("Its ink colours were converted to sRGB.")
        return picture.convert("RGB")
    return picture
