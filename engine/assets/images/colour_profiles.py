"""A decoded picture in sRGB with eight bits: colour profiles, ink colours, and deep greys."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageCms

RANGES = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""White of pictures with 8, 10, 12, 14 and 16 bits; the first that holds a picture's largest value is taken
to be its.
"""


def in_srgb(picture: Image.Image, notes: list[str]) -> Image.Image:
    """Without its own colour profile or ink colours, alpha kept; deep greys scaled to eight bits. Says so in
    ``notes``.
    """
    if picture.mode.startswith(("I", "F")):
        return _eight_bits(picture, notes)
    if picture.info.get("icc_profile"):
        picture = _by_profile(picture, notes)
    if picture.mode == "CMYK":
        notes.append("Its ink colours were converted to sRGB.")
        return picture.convert("RGB")
    return picture


def _by_profile(picture: Image.Image, notes: list[str]) -> Image.Image:
    """By the picture's profile; the plain numbers where that is broken. Palettes are unfolded first."""
    profile, clear = picture.info["icc_profile"], None
    if picture.mode in ("P", "PA", "1", "RGBa", "La"):
        picture = picture.convert("L" if picture.mode == "1" else "RGBA")
    elif picture.mode in ("RGB", "L") and "transparency" in picture.info:
        picture = picture.convert("RGBA" if picture.mode == "RGB" else "LA")
    if picture.mode in ("RGBA", "LA"):
        clear = picture.getchannel("A")
        picture = picture.convert(picture.mode[:-1])
    try:
        converted = _converted(picture, profile)
        notes.append("Its colours were converted to sRGB.")
    except (
        ImageCms.PyCMSError,
        OSError,
        ValueError,
    ):  # a broken profile: the plain numbers are the better guess
        notes.append("Its colour profile is broken and was ignored.")
        converted = picture
    if clear is not None:
        converted = converted.convert("RGB")
        converted.putalpha(clear)
    return converted


def _converted(picture: Image.Image, profile: bytes) -> Image.Image:
    given: Any = ImageCms.ImageCmsProfile(BytesIO(profile))
    if picture.mode == "L" and given.profile.xcolor_space.strip() != "GRAY":
        picture = picture.convert("RGB")
    converted = ImageCms.profileToProfile(picture, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None, "it is None only for pictures that are converted in place"
    return converted


def _eight_bits(picture: Image.Image, notes: list[str]) -> Image.Image:
    """Greys of whatever range as eight bits: 0..1 where numbers have fractions, else the least usual range
    that holds them.
    """
    values = np.nan_to_num(np.asarray(picture, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    most = float(values.max(initial=0))
    unit = picture.mode.startswith("F") and float(np.quantile(values, 0.999)) <= 1.5
    top = 1.0 if unit else next((white for white in RANGES if most <= white), most)
    if top not in (255.0, 65535.0):
        notes.append(f"Its shades were taken to lie between 0 and {top:,.0f}.")
    return Image.fromarray(np.clip(values / top * 255 + 0.5, 0, 255).astype(np.uint8))
