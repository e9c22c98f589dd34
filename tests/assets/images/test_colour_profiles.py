"""Colour profiles, deep greys, other formats and blank first frames."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, features

from engine.assets.images.decoding import decode_photo
from engine.errors import FileFormatError

SIDE = 48


def profile() -> bytes:
    """A profile whose numbers are not sRGB's: CIE Lab would change the mode, so XYZ's linear light is used
    through sRGB's tag.
    """
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(made[128:132], "big")
    tags = [
        (made[132 + 12 * i : 136 + 12 * i], int.from_bytes(made[136 + 12 * i : 140 + 12 * i], "big"))
        for i in range(count)
    ]
    for name, start in tags:
        if bytes(name) in (
            b"rTRC",
            b"gTRC",
            b"bTRC",
        ):  # a parametric curve becomes y = x (ICC.1, 10.18, function 0, gamma 1)
            made[start : start + 16] = b"para" + bytes(8) + (1 << 16).to_bytes(4, "big")
    return bytes(made)


def coded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def half_clear(mode: str) -> Image.Image:
    rgba = np.zeros((SIDE, SIDE, 4), np.uint8)
    rgba[:, : SIDE // 2] = (55, 55, 55, 255)
    picture = Image.fromarray(rgba)
    if mode == "P":
        palette = Image.fromarray(rgba[..., :3]).quantize(4)
        palette.info["transparency"] = int(np.asarray(palette)[0, -1])
        return palette
    return picture if mode == "RGBA" else picture.convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_profile_counts_whatever_the_mode(mode: str) -> None:
    photo = decode_photo(coded(half_clear(mode), icc_profile=profile()), "linear")
    assert photo.rgba[4, 4, 0] == pytest.approx(128, abs=4), "a linear 55 / 255 is 128 in sRGB"
    assert photo.rgba[4, -4, 3] == (255 if mode == "RGB" else 0)
    assert any("sRGB" in note for note in photo.notes)


def test_a_broken_profile_changes_nothing_and_keeps_alpha() -> None:
    photo = decode_photo(coded(half_clear("RGBA"), icc_profile=b"broken" * 40), "broken")
    assert photo.rgba[4, 4].tolist() == [55, 55, 55, 255] and photo.rgba[4, -4, 3] == 0
    assert any("broken" in note for note in photo.notes)


@pytest.mark.parametrize(
    ("top", "kind"), [(1.0, np.float32), (255.0, np.float32), (65535, np.uint16), (4095, np.uint16)]
)
def test_greys_of_any_range_keep_their_shades(top: float, kind: type) -> None:
    ramp = np.tile(np.linspace(0, top, SIDE).astype(kind), (SIDE, 1))
    row = decode_photo(coded(Image.fromarray(ramp), "TIFF"), "deep").rgba[3, :, 0].astype(float)
    np.testing.assert_allclose(row, np.linspace(0, 255, SIDE), atol=2)


def test_numbers_that_are_none_do_no_harm() -> None:
    values = np.full((SIDE, SIDE), 0.5, np.float32)
    values[0, :3] = (np.nan, np.inf, -np.inf)
    assert decode_photo(coded(Image.fromarray(values), "TIFF"), "odd").rgba[9, 9, 0] == 128


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_is_read_where_pillow_reads_it() -> None:
    assert decode_photo(coded(Image.new("RGB", (SIDE, SIDE), (200, 30, 20)), "AVIF"), "a").rgba[9, 9, 0] > 180


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0heic" + bytes(40), "HEIC"),
        (b"8BPS\0\x01" + bytes(40), "Photoshop"),
        (b"\xff\x0a" + bytes(40), "JPEG XL"),
        (b"<?xml version='1.0'?><svg/>", "SVG"),
    ],
)
def test_other_formats_are_named(data: bytes, words: str) -> None:
    with pytest.raises(FileFormatError, match=words) as told:
        decode_photo(data, "picture")
    assert "Save it as" in told.value.remedy


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "GIF"])
def test_a_blank_first_frame_is_passed_over(kind: str) -> None:
    blank, shown = Image.new("RGBA", (SIDE, SIDE)), Image.new("RGBA", (SIDE, SIDE))
    shown.paste((200, 30, 20, 255), (8, 8, 30, 30))
    photo = decode_photo(
        coded(blank, kind, save_all=True, append_images=[shown], disposal=2, **_lossless(kind)), "moving"
    )
    assert photo.rgba[16, 16, 3] == 255 and photo.rgba[16, 16, 0] > 180
    assert any("number 2" in note for note in photo.notes)


def _lossless(kind: str) -> dict[str, bool]:
    return {"lossless": True} if kind == "WEBP" else {}
