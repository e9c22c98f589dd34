"""Files that cannot be trusted: how large they may be, which are opened beside them, and pictures inside
them.
"""

from __future__ import annotations

import base64
import binascii
import stat
import warnings
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import numpy as np
from PIL import Image, features

from engine.errors import FileFormatError, InputError, MissingError

MEGABYTE = 1_000_000
MAX_BYTES = 400 * MEGABYTE
MAX_TEXT_BYTES = 160 * MEGABYTE
"""Of a format that is written in words, which takes several times its size to read."""

MAX_FACES = 4_000_000
"""Faces that are read; those of a larger model are not decoded at all."""

MAX_JSON_PARTS = 3_000_000
"""Values in a glTF's JSON, each of which takes some hundred bytes to read; buffers inside it count as one."""

MAX_PICTURE_PIXELS = 70_000_000
MAX_TEXTURE_PIXELS = 300_000_000
"""Of all textures of a model, which are decoded one after the other."""

TEXTURES = (
    "PNG",
    "JPEG",
    "WEBP",
    "BMP",
    "TGA",
    "GIF",
    "TIFF",
    "DDS",
    *(("AVIF",) if features.check("avif") else ()),
)
PICTURE_SIDE = 1024
"""Pixels of a texture's longer side that are kept."""


@dataclass(frozen=True)
class Folder:
    """The folder of a model, from which it may use plain files beside and below it, up to ``MAX_BYTES`` in
    all.
    """

    root: Path
    used: list[int] = field(default_factory=list)  # bytes read so far
    pixels: list[int] = field(default_factory=list)  # of the textures decoded so far

    def read(self, name: str) -> bytes:
        """The bytes of a file that a model names. Raises `FileFormatError` if the name leads elsewhere, or
        nothing is there.
        """
        path = self._inside(name)
        size = path.stat().st_size
        if sum(self.used) + size > MAX_BYTES:
            raise too_large(name, sum(self.used) + size)
        self.used.append(size)
        return path.read_bytes()

    def holds(self, name: str) -> bool:
        """Whether a file of that name may be read."""
        try:
            return self._inside(name).is_file()
        except InputError:
            return False

    def _inside(self, name: str) -> Path:
        plain = plain_name(name)
        pieces = PurePosixPath(plain).parts
        outside = ":" in plain or plain.startswith("/") or ".." in pieces or "\0" in plain
        root = self.root.resolve()
        path = root if outside else (root / plain).resolve()  # a link may lead outside too
        if outside or not path.is_relative_to(root):
            raise FileFormatError(
                f"It names the file {name[:80]!r}, which is not beside it.", "Save it as one file (GLB)."
            )
        if not path.is_file():
            raise FileFormatError(
                f"It needs the file {name[:80]!r}, which is not there.",
                "Put it beside, or save as one file (GLB).",
            )
        return path


def plain_name(uri: str) -> str:
    """A glTF's relative address as the name of a file: without percent signs, its folders with slashes."""
    return unquote(uri).replace("\\", "/")


def bytes_of_uri(uri: str, beside: Folder) -> bytes:
    """What a glTF's URI stands for: data inside it, or a file beside the model; the network is never
    asked.
    """
    if not uri.startswith("data:"):
        return beside.read(uri)
    head, comma, body = uri.partition(",")
    if not comma or not head.endswith(";base64"):
        raise FileFormatError("It holds data that are not base64.", "Save it as one file (GLB).")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise FileFormatError(f"It holds damaged base64 data ({error}).", "Save it again.") from error


def read_bounded(path: Path) -> bytes:
    """The file's bytes. Errors as `check_bytes`'s."""
    check_bytes(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error.strerror) from error


def check_bytes(path: Path) -> None:
    """Nothing is read: raises `MissingError` for what is no plain file, `InputError` for one that is too
    large.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # a name may hold what no name can
        raise _unreadable(path, getattr(error, "strerror", None) or str(error)) from error
    if not stat.S_ISREG(status.st_mode):  # a folder, or a pipe or device, which may never end
        raise _unreadable(path, "not a file")
    if status.st_size > MAX_BYTES:
        raise too_large(path.name, status.st_size)


def _unreadable(path: Path, reason: str | None) -> MissingError:
    return MissingError(f"The model {path} cannot be read ({reason}).", "Check the path.")


def too_large(name: str, size: int) -> InputError:
    return InputError(
        f"{name} has {size / MEGABYTE:,.0f} MB; models may have at most {MAX_BYTES // MEGABYTE} MB.",
        "Reduce it in a 3D editor (Blender: Decimate); a reference needs a few thousand faces.",
    )


def too_many(name: str, count: int, what: str = "faces") -> InputError:
    return InputError(
        f"{name} has {count:,} {what}; models may have at most {MAX_FACES:,}.",
        "Reduce it in a 3D editor (Blender: Decimate); a reference needs a few thousand faces.",
    )


def picture(data: bytes, spent: list[int] | None = None) -> np.ndarray | None:
    """A texture (H,W,3), or (H,W,4) with alpha, in 0..1, reduced; None if it is no picture, or larger than
    anything of use.

    ``spent`` holds the pixels of those decoded before, which together may be ``MAX_TEXTURE_PIXELS``; this
    one's are added.
    """
    spent = [] if spent is None else spent
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limits here are stricter
            with Image.open(BytesIO(data), formats=TEXTURES) as opened:
                if sum(spent) + opened.width * opened.height > MAX_TEXTURE_PIXELS:
                    return None
                spent.append(opened.width * opened.height)
                return reduced(opened)
    except Exception:  # Pillow's decoders raise whatever the damage leads to, and a texture is never needed
        return None


def reduced(opened: Image.Image) -> np.ndarray | None:
    """A picture that was opened, but not decoded yet, as `picture` gives it."""
    if opened.width * opened.height > MAX_PICTURE_PIXELS:
        return None
    opened.draft("RGB", (PICTURE_SIDE, PICTURE_SIDE))
    clear = opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info
    pixels = opened.convert("RGBA" if clear else "RGB")
    pixels.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    return np.asarray(pixels, np.float32) / 255


def texture_beside(name: str, beside: Folder) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """A texture that a model names, and notes: what leads elsewhere, as another machine's paths do, is sought
    by its name.
    """
    plain = name.strip().replace("\\", "/")
    for wanted in dict.fromkeys((plain, plain.rpartition("/")[2])):
        try:
            texture = picture(beside.read(wanted), beside.pixels)
        except (InputError, OSError):
            continue
        if texture is not None:
            return texture, ()
    return None, (f"{name[:60]!r} was not used: it is not there, not beside the model, or no picture.",)
