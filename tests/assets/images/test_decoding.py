"""Picture files as anybody may have made them: what comes back, and what is refused."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.assets.images import decoding
from engine.assets.images.decoding import MAX_SIDE, decode_photo, read_photo
from engine.errors import FileFormatError, InputError, MissingError

RED, GREEN, BLUE = (200, 30, 20), (20, 180, 40), (30, 40, 190)


def corners(width: int = 60, height: int = 40) -> Image.Image:
    """Red above left, green above right, blue below."""
    picture = Image.new("RGB", (width, height), BLUE)
    picture.paste(RED, (0, 0, width // 2, height // 2))
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    return picture


def saved(picture: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def near(pixel: np.ndarray, colour: tuple[int, int, int], tolerance: int = 12) -> bool:
    return bool(np.abs(pixel[:3].astype(int) - colour).max() <= tolerance)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_a_plain_picture_is_itself(kind: str) -> None:
    photo = decode_photo(saved(corners(), kind), "plain")
    assert photo.rgba.shape == (40, 60, 4) and (photo.rgba[..., 3] == 255).all() and photo.notes == ()
    assert near(photo.rgba[8, 12], RED) and near(photo.rgba[8, 48], GREEN) and near(photo.rgba[32, 30], BLUE)


@pytest.mark.parametrize(
    ("orientation", "red_corner"), [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0)), (2, (0, -1))]
)
def test_pictures_are_turned_as_the_camera_was_held(orientation: int, red_corner: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    rgba = decode_photo(
        saved(corners(), "JPEG", exif=exif.tobytes(), quality=95, subsampling=0), "turned"
    ).rgba
    assert rgba.shape[:2] == ((40, 60) if orientation < 5 else (60, 40))
    assert near(rgba[red_corner], RED)


def test_ink_colours_become_red_green_and_blue() -> None:
    photo = decode_photo(saved(corners().convert("CMYK"), "JPEG", quality=95, subsampling=0), "inks")
    assert near(photo.rgba[8, 12], RED, 20) and near(photo.rgba[32, 30], BLUE, 20)
    assert any("ink" in note for note in photo.notes)


def test_sixteen_bits_keep_their_shades() -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (32, 1))
    rgba = decode_photo(saved(Image.fromarray(ramp), "PNG"), "deep").rgba
    assert np.abs(rgba[0, :, 0].astype(float) - np.linspace(0, 255, 64)).max() <= 1
    assert (rgba[..., 0] == rgba[..., 2]).all()


def test_one_transparent_colour_of_a_palette_is_transparent() -> None:
    palette = corners().quantize(4)
    clear = int(np.asarray(palette)[32, 30])
    rgba = decode_photo(saved(palette, "PNG", transparency=clear), "palette").rgba
    assert rgba[32, 30, 3] == 0 and rgba[8, 12, 3] == 255 and near(rgba[8, 12], RED)


def test_of_an_animation_the_first_frame_counts() -> None:
    frames = [corners(), Image.new("RGB", (60, 40), (255, 255, 255))]
    photo = decode_photo(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), "moving")
    assert near(photo.rgba[8, 12], RED, 25) and any("2 frames" in note for note in photo.notes)


def test_large_pictures_are_kept_smaller() -> None:
    assert decode_photo(saved(corners(4000, 1000), "PNG"), "large").rgba.shape == (MAX_SIDE // 4, MAX_SIDE, 4)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_what_ends_too_early_is_refused(kind: str, share: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 80, 3), np.uint8))
    data = saved(noise, kind)
    with pytest.raises(FileFormatError, match="cut"):
        decode_photo(data[: int(share * len(data))], "cut.png")


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x89PNG\r\n\x1a\n" + bytes(50), b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(FileFormatError, match=r"mug\.png"):
        decode_photo(data, "mug.png")


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size)
        + chunk(b"IDAT", zlib.compress(bytes(100)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [12_000, 60_000])
def test_a_bomb_is_refused_before_it_is_decoded(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_upright", lambda picture: pytest.fail("it was decoded"))
    with pytest.raises(InputError, match="bomb"):
        decode_photo(png_header(side, side), "bomb.png")


def test_a_speck_is_refused() -> None:
    with pytest.raises(InputError, match="8 x 8"):
        decode_photo(saved(corners(8, 8), "PNG"), "speck.png")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as stream:
        stream.truncate(decoding.MAX_BYTES + 1)
    with pytest.raises(InputError, match="67 MB"):
        read_photo(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"gone\.png"):
        read_photo(tmp_path / "gone.png")
