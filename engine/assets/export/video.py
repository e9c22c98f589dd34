"""Turntables as MP4 (H.264, yuv420p, BT.709), which browsers and phones play; the recipe is the film's
comment.
"""

from __future__ import annotations

import errno
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import IO

import imageio_ffmpeg
import numpy as np

from engine.assets.export.files import atomic_path, read_errors
from engine.errors import FileFormatError, InputError, MissingError, StudioError

QUALITY_CRF, ALPHA_CRF = 16, 20
"""Constant rate factors of x264 and VP9: visually lossless."""

QUICK = ("-preset", "veryfast")
"""Turntables of 72 pictures of 320 pixels: 0.30 CPU-seconds instead of 0.51, 62 kB instead of 63, 44.8 dB
instead of 45.4.
"""

Command = Callable[[Path, Path, tuple[int, ...], int], list[str]]


def write_video(path: Path | str, frames: Iterable[np.ndarray], *, fps: int = 30, recipe: str = "") -> int:
    """Encode uint8 frames (H,W,3) of one size as they come; returns how many. Odd sizes gain a line by
    repeating the last.

    Raises `InputError` for no frames or unlike ones, `MissingError` without ffmpeg, `StorageError` where it
    cannot be written.
    """
    return _write(path, frames, fps, recipe, _command, channels=3)


def write_alpha_video(
    path: Path | str, frames: Iterable[np.ndarray], *, fps: int = 30, recipe: str = ""
) -> int:
    """The same of RGBA frames (H,W,4), not premultiplied, as WebM: VP9 keeps their alpha."""
    return _write(path, frames, fps, recipe, _alpha_command, channels=4)


def read_recipe(path: Path | str) -> str:
    """The recipe in the film's comment. Raises `FileFormatError` if there is none or it is no film."""
    with read_errors(path), open(path, "rb"):
        pass
    command = [_ffmpeg(), "-v", "error", "-i", str(path), "-f", "ffmetadata", "-"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        raise FileFormatError(
            f"{path} is not a film that ffmpeg can read.", "Choose an .mp4 that Maquette exported."
        )
    match = re.search(
        r"^(?:comment|COMMENT)=((?:[^\\\n]|\\.|\\\n)*)", done.stdout.decode("utf-8", "replace"), re.MULTILINE
    )
    if match is None:
        raise FileFormatError(f"{path} holds no recipe.", "Choose an .mp4 that Maquette exported.")
    return re.sub(r"\\(.|\n)", r"\1", match.group(1), flags=re.DOTALL)


def _write(
    path: Path | str, frames: Iterable[np.ndarray], fps: int, recipe: str, command: Command, *, channels: int
) -> int:
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise InputError("A film needs at least one frame.", "Render at least one view.")
    if fps < 1:
        raise InputError(
            f"The film was asked for with {fps} frames a second; at least 1 is needed.", "Use 30."
        )
    size, count = _even(first, (*first.shape[:2], channels)).shape, 0
    with (
        atomic_path(path) as partial,
        _comment_file(recipe) as comment,
        _encoder(command(partial, comment, size, fps)) as sink,
    ):
        for frame in chain([first], frames):
            sink.write(_even(frame, (*first.shape[:2], channels)).tobytes())
            count += 1
    return count


def _even(frame: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The frame with even sides, which yuv420p needs."""
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape != shape or 0 in shape:
        what = f"A frame is {frame.dtype} of shape {frame.shape}; all must be uint8 like the first, {shape}."
        raise InputError(what, "Render all frames at one size.")
    return np.pad(frame, ((0, shape[0] % 2), (0, shape[1] % 2), (0, 0)), mode="edge")


def _ffmpeg() -> str:
    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        remedy = "Install it again: pip install --force-reinstall imageio-ffmpeg"
        raise MissingError(
            "No ffmpeg was found, so films can be neither written nor read.", remedy
        ) from error


def _command(path: Path, comment: Path, shape: tuple[int, ...], fps: int) -> list[str]:
    """ffmpeg reads raw frames from its standard input and the comment from a file, as an argument's length is
    limited.
    """
    to_bt709 = "scale=in_range=full:out_range=tv:out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int"
    # since ffmpeg 7.1 what a filter says of its pictures replaces the encoder's options, so both say it
    to_bt709 += ",setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    tags = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
    return [
        _ffmpeg(), "-y", "-v", "error",
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{shape[1]}x{shape[0]}", "-r", str(fps), "-i", "-",
        "-f", "ffmetadata", "-i", str(comment), "-map", "0:v", "-map_metadata", "1",
        "-vf", to_bt709, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", str(QUALITY_CRF), *QUICK, *tags,
        "-movflags", "+faststart", "-f", "mp4", str(path),
    ]  # fmt: skip


def _alpha_command(path: Path, comment: Path, shape: tuple[int, ...], fps: int) -> list[str]:
    """As `_command`, of pictures with alpha."""
    return [
        _ffmpeg(), "-y", "-v", "error",
        "-f", "rawvideo", "-pix_fmt", "rgba", "-s", f"{shape[1]}x{shape[0]}", "-r", str(fps), "-i", "-",
        "-f", "ffmetadata", "-i", str(comment), "-map", "0:v", "-map_metadata", "1",
        "-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-crf", str(ALPHA_CRF), "-b:v", "0", "-auto-alt-ref",
        "0",
        "-row-mt", "1", "-cpu-used", "5", "-f", "webm", str(path),
    ]  # fmt: skip


@contextmanager
def _comment_file(recipe: str) -> Iterator[Path]:
    """A temporary ffmetadata file whose comment is the recipe."""
    escaped = re.sub(r"([=;#\\\n])", r"\\\1", recipe)
    with tempfile.TemporaryDirectory(prefix="maquette-") as folder:
        path = Path(folder) / "comment.txt"
        path.write_text(
            ";FFMETADATA1\n" + (f"comment={escaped}\n" if recipe else ""), encoding="utf-8", newline=""
        )
        yield path


@contextmanager
def _encoder(command: list[str]) -> Iterator[IO[bytes]]:
    """Run ffmpeg and yield its input; when it fails, raise what it said: `OSError` for a full disk, else
    `StudioError`.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said)
        assert process.stdin is not None
        broken = False
        try:
            yield process.stdin
            process.stdin.close()
        except BrokenPipeError:
            broken = True
        except BaseException:
            process.kill()
            raise
        finally:
            with suppress(OSError):
                process.stdin.close()
            status = process.wait()
        said.seek(0)
        words = said.read().decode("utf-8", "replace").strip()
    if status != 0 or broken:
        if "No space left" in words:
            raise OSError(errno.ENOSPC, "No space left on device")
        what = f"ffmpeg could not encode the film: {words[-300:] or status}."
        raise StudioError(what, "Try another frame size or folder.")
