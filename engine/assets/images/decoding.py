"""Read a picture file that anybody may have made: bounded in size, turned upright, in plain RGB with alpha.

Only the formats that artists exchange are opened, and a file's header is checked before its pixels are
decoded, so that a decompression bomb is refused at the cost of reading a few bytes.
"""

from __future__ import annotations

import stat
import struct
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, features

from engine.assets.images.colour_profiles import in_srgb
from engine.errors import FileFormatError, InputError, MissingError

_BRANDS = {
    (
        b"heic",
        b"heix",
        b"heim",
        b"heis",
        b"hevc",
        b"hevx",
        b"mif1",
        b"msf1",
    ): "a HEIC picture, as telephones take them",
    (b"avif", b"avis"): "an AVIF picture",
    (b"crx ",): "a raw picture of a camera",
}
_STARTS = {
    b"\xff\x0a": "a JPEG XL picture",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL picture",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000 picture",
    b"8BPS": "a Photoshop file",
    b"gimp xcf": "a GIMP file",
    b"v/1\x01": "an OpenEXR picture",
    b"#?RADIANCE": "a Radiance HDR picture",
    b"%PDF": "a PDF file",
    b"<svg": "an SVG drawing",
    b"\xabKTX ": "a KTX texture",
    b"DDS ": "a DDS texture",
}

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", *(("AVIF",) if features.check("avif") else ()))
MAX_BYTES = 64 << 20
MAX_PIXELS = 100_000_000
MAX_SIDE = 1536
"""Pixels of the longer side that are kept: far more than any prior looks at."""

DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    RuntimeError,
    TypeError,
    LookupError,
    OverflowError,
    struct.error,
)
"""What Pillow's decoders raise for damaged files."""

MIN_SIDE = 16
MOST_FRAMES = 30
"""Frames of an animation that are looked at for one that shows something."""

ORIENTATION = 0x0112  # in EXIF


def foreign_name(data: bytes) -> str:
    """What a file is, in words; empty where that is not known either."""
    if data[4:8] == b"ftyp":
        brands = {data[at : at + 4] for at in (8, *range(16, min(len(data), 64), 4))}
        for names, words in _BRANDS.items():
            if data[8:12] in names:
                return words
        return next((words for names, words in _BRANDS.items() if brands & set(names)), "")
    start = data[:512].lstrip()
    if start.startswith((b"<?xml", b"<!--")) and b"<svg" in data[:2048]:
        return "an SVG drawing"
    return next(
        (words for sign, words in _STARTS.items() if start.startswith(sign) or data.startswith(sign)), ""
    )


@dataclass(frozen=True, eq=False)
class Photo:
    """``rgba`` (H,W,4) uint8, straight alpha; ``notes`` say in words what had to be changed."""

    rgba: np.ndarray
    notes: tuple[str, ...] = ()


def read_photo(path: Path | str) -> Photo:
    """The picture in a file. Raises `MissingError`, `InputError` (too large, too small) or `FileFormatError`
    (not a picture).
    """
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
            f"{path.name} is {status.st_size / 1e6:,.0f} MB; pictures may have at most "
            f"{MAX_BYTES / 1e6:,.0f} MB.",
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
        foreign = foreign_name(data)
        what = (
            f"{name} is {foreign}, which cannot be opened here."
            if foreign
            else f"{name} is not a picture that can be opened."
        )
        raise FileFormatError(what, f"Save it as {' or '.join(FORMATS[:3])}.") from error
    except InputError:
        raise
    except DAMAGE as error:
        raise FileFormatError(
            f"{name} is damaged ({error}).", "Save it again, or choose another file."
        ) from error


def _check_size(picture: Image.Image, name: str) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{name} has {width:,} x {height:,} pixels; at most {MAX_PIXELS:,} in all are allowed.",
            "Scale it down.",
        )
    if min(width, height) < MIN_SIDE:
        raise InputError(
            f"{name} has {width} x {height} pixels; each side needs at least {MIN_SIDE}.",
            "Choose a larger one.",
        )


def _upright(picture: Image.Image) -> Photo:
    """Turned as its camera was held, in sRGB, small enough; of several frames the first that shows
    something.
    """
    notes = []
    if _frames_of(picture) > 1:
        number = _first_frame(picture)
        notes.append(
            f"It has {_frames_of(picture)} frames; {'the first' if not number else f'number {number + 1}'} "
            "is used."
        )
    picture.draft("RGB", (MAX_SIDE, MAX_SIDE))  # JPEG decodes large pictures reduced
    turned = ImageOps.exif_transpose(_smaller(picture))
    rgba = in_srgb(turned, notes).convert("RGBA")
    if max(rgba.size) > MAX_SIDE:
        rgba.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return Photo(np.asarray(rgba).copy(), tuple(notes))


def _frames_of(picture: Image.Image) -> int:
    """How many there are; formats without animation do not say."""
    return getattr(picture, "n_frames", 1)


def _first_frame(picture: Image.Image) -> int:
    """The number of the first frame that is not all of one colour, or all clear; the picture stands there
    then.
    """
    for number in range(min(_frames_of(picture), MOST_FRAMES)):
        picture.seek(number)
        low_high = [channel.getextrema() for channel in picture.convert("RGBA").split()]
        if low_high[3][1] and any(low != high for low, high in low_high):
            return number
    picture.seek(0)
    return 0


def _smaller(picture: Image.Image) -> Image.Image:
    """A very large picture by a whole factor smaller, still with twice what is kept: nothing copies all of
    its pixels after.
    """
    factor = max(picture.size) // (2 * MAX_SIDE)
    if factor < 2:
        return picture
    if picture.mode in ("L", "RGB", "CMYK"):
        small = picture.reduce(factor)  # the means
    # the nearest: palettes and deep greys have no mean, and with alpha everything would be copied first
    else:
        small = picture.resize((picture.width // factor, picture.height // factor), Image.Resampling.NEAREST)
    small.info = dict(picture.info)
    if ORIENTATION in picture.getexif():  # some formats keep it elsewhere
        small.getexif()[ORIENTATION] = picture.getexif()[ORIENTATION]
    return small
