"""Turntables: the film decodes to the same frames, at the same size and rate, and holds its recipe."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from engine.assets.export import read_recipe, video
from engine.errors import FileFormatError, InputError

COLOURS = np.array([[220, 40, 30], [30, 160, 60], [40, 70, 200], [240, 240, 235], [128, 128, 128]], np.uint8)


def film(width: int, height: int) -> list[np.ndarray]:
    return [np.broadcast_to(colour, (height, width, 3)) for colour in COLOURS]


def decoded(path: Path) -> tuple[dict, list[np.ndarray]]:
    reader = imageio_ffmpeg.read_frames(str(path))
    meta = next(reader)
    return meta, [
        np.frombuffer(frame, np.uint8).reshape(meta["size"][1], meta["size"][0], 3) for frame in reader
    ]


@pytest.mark.parametrize(("width", "height"), [(64, 48), (33, 51)])
def test_frames_size_rate_and_colours_come_back(width: int, height: int, tmp_path: Path) -> None:
    path = tmp_path / "turn.mp4"
    assert video.write_video(path, iter(film(width, height)), fps=25) == 5
    meta, frames = decoded(path)
    assert meta["size"] == (width + width % 2, height + height % 2) and meta["fps"] == 25
    assert meta["codec"] == "h264" and meta["pix_fmt"].startswith("yuv420p")
    assert len(frames) == 5 and imageio_ffmpeg.count_frames_and_secs(str(path))[0] == 5
    for frame, colour in zip(frames, COLOURS, strict=True):
        assert np.abs(frame.astype(int) - colour).max() <= 6


def test_matrix_primaries_and_transfer_are_all_named(tmp_path: Path) -> None:
    video.write_video(tmp_path / "turn.mp4", film(64, 48))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(tmp_path / "turn.mp4")]
    words = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert "yuv420p(tv, bt709, progressive)" in words, "three that agree are written as one; else as a/b/c"


RECIPES = {
    "escapes": "prompt = 'a=b; #c \\ d'\n\n[[change]]\nstep = 1\n",
    "unicode": "tea 茶 ü\n",
    "long": "x = 1\n" * 60_000,
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_recipe_comes_back_whole(recipe: str, tmp_path: Path) -> None:
    video.write_video(tmp_path / "turn.mp4", film(16, 16), recipe=recipe)
    assert read_recipe(tmp_path / "turn.mp4") == recipe


def test_a_film_without_a_recipe_says_so(tmp_path: Path) -> None:
    video.write_video(tmp_path / "turn.mp4", film(16, 16))
    with pytest.raises(FileFormatError, match="no recipe"):
        read_recipe(tmp_path / "turn.mp4")


def test_what_is_no_film_says_so(tmp_path: Path) -> None:
    (tmp_path / "turn.mp4").write_bytes(b"not a film")
    with pytest.raises(FileFormatError, match="not a film"):
        read_recipe(tmp_path / "turn.mp4")


UNUSABLE = {
    "none": [],
    "float": [np.zeros((8, 8, 3), np.float32)],
    "two sizes": [np.zeros((8, 8, 3), np.uint8), np.zeros((8, 10, 3), np.uint8)],
    "no pixels": [np.zeros((0, 8, 3), np.uint8)],
}


@pytest.mark.parametrize("frames", UNUSABLE.values(), ids=UNUSABLE)
def test_unlike_frames_are_refused_and_leave_nothing(frames: list[np.ndarray], tmp_path: Path) -> None:
    with pytest.raises(InputError):
        video.write_video(tmp_path / "turn.mp4", frames)
    assert not list(tmp_path.iterdir())
