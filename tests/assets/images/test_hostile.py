"""Pictures at the limits: what they take is bounded, and devices are not waited for."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.assets.images.decoding import decode_photo, read_photo
from engine.errors import FileFormatError, MissingError

MEASURE = """
import resource, sys
from engine.assets.images.decoding import read_photo
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
photo = read_photo(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, *photo.rgba.shape)
"""
SIDE = 6200


@pytest.mark.parametrize("mode", ["RGBA", "I;16"])
def test_a_large_picture_takes_little_more_than_its_own_pixels(mode: str, tmp_path: Path) -> None:
    path, bytes_a_pixel = tmp_path / "large.png", {"RGBA": 4, "I;16": 2}[mode]
    kind = np.uint16 if mode == "I;16" else np.uint8
    Image.fromarray(np.zeros((SIDE, SIDE) if mode == "I;16" else (SIDE, SIDE, 4), kind)).save(
        path, compress_level=1
    )
    told = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True
    ).stdout.split()
    taken, pixels = int(told[0]) * 1024, SIDE * SIDE
    assert told[1:] == ["1536", "1536", "4"]
    assert taken < 1.3 * pixels * bytes_a_pixel + 150e6, "the pixels once, and small copies"


def halves(width: int, height: int, mode: str) -> Image.Image:
    """Dark on the left, bright on the right."""
    picture = Image.new("L", (width, height), 40)
    picture.paste(220, (width // 2, 0, width, height))
    return picture.convert(mode)


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "L"), ("PNG", "P"), ("PNG", "RGBA"), ("TIFF", "RGB"), ("TIFF", "CMYK")]
)
def test_a_very_wide_picture_keeps_its_sides_and_how_it_was_held(kind: str, mode: str) -> None:
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 3  # upside down
    halves(7000, 100, mode).save(stream, kind, exif=exif)
    rgba = decode_photo(stream.getvalue(), "wide").rgba
    assert rgba.shape[1] == 1536 and rgba[5, 10, 0] > 190 and rgba[5, -10, 0] < 70


def test_deep_greys_that_are_reduced_keep_their_shades() -> None:
    stream = io.BytesIO()
    Image.fromarray(np.tile(np.linspace(0, 65535, 8000).astype(np.uint16), (64, 1))).save(stream, "PNG")
    row = decode_photo(stream.getvalue(), "deep").rgba[3, :, 0].astype(float)
    np.testing.assert_allclose(row, np.linspace(0, 255, len(row)), atol=2)


def test_pipes_devices_and_folders_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", Path("/dev/zero"), tmp_path, tmp_path / "a\0.png"):
        with pytest.raises(MissingError, match="picture"):
            read_photo(path)


@pytest.mark.parametrize(
    "data",
    [b"MZ\x90\x00" + bytes(500), b"%PDF-1.7\n", b"\x1f\x8b\x08" + bytes(50), b"glTF\x02\0\0\0" + bytes(50)],
)
def test_a_suffix_makes_no_picture(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "mug.png").write_bytes(data)
    with pytest.raises(FileFormatError, match=r"mug\.png"):
        read_photo(tmp_path / "mug.png")
