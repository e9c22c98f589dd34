"""Splat clouds as PLY in the layout of the reference 3DGS code (arXiv 2308.04079), which splat viewers and editors read.

    our name    in the file                      stored as
    means       x y z
                nx ny nz                         zeros
    sh0         f_dc_0 f_dc_1 f_dc_2             colour = 0.5 + SH_C0 * f_dc
    opacities   opacity                          logit
    scales      scale_0 scale_1 scale_2          natural logarithm
    quats       rot_0 rot_1 rot_2 rot_3          w x y z, unit length

The recipe is kept in the header, in ``comment`` lines.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import FileFormatError, InputError
from engine.loop.export.files import atomic_path, read_errors

SH_C0 = 0.28209479177387814
"""Y_0^0 = 1 / (2 sqrt(pi)), the constant spherical harmonic."""

MAX_SPLATS = 20_000_000
MAX_HEADER_BYTES = 4 << 20
OPACITY_MARGIN = 1e-6
"""Opacities are kept this far from 0 and 1, where the logit is infinite."""

MIN_SCALE = 1e-12
_POSITION, _NORMAL, _COLOUR = ("x", "y", "z"), ("nx", "ny", "nz"), ("f_dc_0", "f_dc_1", "f_dc_2")
_SCALE, _ROTATION = ("scale_0", "scale_1", "scale_2"), ("rot_0", "rot_1", "rot_2", "rot_3")
_WRITTEN = (*_POSITION, *_NORMAL, *_COLOUR, "opacity", *_SCALE, *_ROTATION)
_REQUIRED = (*_POSITION, *_COLOUR, "opacity", *_SCALE, *_ROTATION)
_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4", "double": "f8",
    "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8",
}  # fmt: skip
_RECIPE_MARK, _RECIPE_PIECE = "recipe ", 120


@dataclass(frozen=True, eq=False)
class SplatCloud:
    """N Gaussians, float32: ``means`` (N,3), ``scales`` (N,3) linear, ``quats`` (N,4) unit wxyz, ``opacities`` (N,) in 0..1,
    ``sh0`` (N,3) constant harmonics; ``comments`` of the file without the recipe's.
    """

    means: np.ndarray
    scales: np.ndarray
    quats: np.ndarray
    opacities: np.ndarray
    sh0: np.ndarray
    comments: tuple[str, ...] = ()


def sh0_from_rgb(rgb: np.ndarray) -> np.ndarray:
    """Constant harmonics (...,3) of a colour in 0..1."""
    return (rgb - 0.5) / SH_C0


def rgb_from_sh0(sh0: np.ndarray) -> np.ndarray:
    """Colour (...,3) of constant harmonics; not clipped."""
    return 0.5 + SH_C0 * sh0


def write_splat_ply(
    path: Path | str,
    means: np.ndarray,
    scales: np.ndarray,
    quats: np.ndarray,
    opacities: np.ndarray,
    sh0: np.ndarray,
    *,
    comments: Sequence[str] = (),
    recipe: str = "",
) -> None:
    """Write N Gaussians; arrays as in `SplatCloud`. Raises `InputError` for wrong shapes or numbers, `StorageError`."""
    shapes = {"means": (3,), "scales": (3,), "quats": (4,), "opacities": (), "sh0": (3,)}
    given = {"means": means, "scales": scales, "quats": quats, "opacities": opacities, "sh0": sh0}
    for name, tail in shapes.items():
        _check_array(name, np.asarray(given[name]), (len(means), *tail))
    length = np.linalg.norm(quats, axis=1, keepdims=True)
    if len(means) and length.min() == 0:
        raise InputError("quats holds a quaternion of length 0, which is no rotation.", "Drop that splat or use 1, 0, 0, 0.")
    opacity = np.clip(np.asarray(opacities, np.float64), OPACITY_MARGIN, 1 - OPACITY_MARGIN)[:, None]
    columns = [means, np.zeros((len(means), 3)), sh0, np.log(opacity / (1 - opacity))]
    columns += [np.log(np.maximum(scales, MIN_SCALE)), quats / np.maximum(length, 1e-30)]
    with atomic_path(path) as partial, open(partial, "wb") as file:
        file.write(_header(len(means), [*comments, *_recipe_comments(recipe)]))
        file.write(np.concatenate(columns, axis=1).astype("<f4").tobytes())


def _check_array(name: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise InputError(f"{name} has shape {values.shape}, but {shape} is needed.", "Give one row of each for every splat.")
    broken = values.size - int(np.isfinite(values).sum())
    if broken:
        raise InputError(f"{name} holds {broken} numbers that are not finite.", "Go back to the last good snapshot.")


def _header(count: int, comments: Sequence[str]) -> bytes:
    for comment in comments:
        if "\n" in comment or "\r" in comment or not comment.isascii():
            raise InputError(f"A PLY comment must be one line of ASCII, got {comment!r}.", "Shorten it or put it in the recipe.")
    lines = ["ply", "format binary_little_endian 1.0", *(f"comment {comment}" for comment in comments)]
    lines += [f"element vertex {count}", *(f"property float {name}" for name in _WRITTEN), "end_header"]
    return ("\n".join(lines) + "\n").encode("ascii")


def _recipe_comments(recipe: str) -> list[str]:
    """The recipe as ASCII comment lines: JSON strings whose concatenation is the text."""
    lines = recipe.splitlines(keepends=True)
    pieces = [line[i : i + _RECIPE_PIECE] for line in lines for i in range(0, len(line), _RECIPE_PIECE)]
    return [_RECIPE_MARK + json.dumps(piece) for piece in pieces]


def read_splat_ply(path: Path | str, most: int = MAX_SPLATS) -> SplatCloud:
    """Read a splat PLY; harmonics above the constant are left out, other extra properties too.

    Raises `FileFormatError` for what is no PLY, no splat cloud, truncated, not finite, or of more than ``most`` splats.
    """
    with read_errors(path), open(path, "rb") as file:
        header = _read_header(path, file.read(MAX_HEADER_BYTES))
        if header.count > most:
            what = f"{path} holds {header.count:,} splats; at most {most:,} can be used here."
            raise FileFormatError(what, "Choose a smaller file, or thin this one out in a splat editor.")
        file.seek(header.size)
        data = file.read(header.dtype.itemsize * header.count)
    missing = [name for name in _REQUIRED if name not in (header.dtype.names or ())]
    if missing:
        raise FileFormatError(f"{path} is a PLY without splats: it lacks {', '.join(missing)}.", "Choose a 3DGS point_cloud.ply.")
    if len(data) < header.dtype.itemsize * header.count:
        whole = len(data) // header.dtype.itemsize
        raise FileFormatError(f"{path} is truncated: {whole} of {header.count} splats are there.", "Copy or download it again.")
    return _activate(path, np.frombuffer(data, header.dtype, header.count), header.comments)


def _activate(path: Path | str, rows: np.ndarray, comments: Sequence[str]) -> SplatCloud:
    """From stored logarithms and logits to numbers that mean something."""
    raw = {name: rows[name].astype(np.float32) for name in _REQUIRED}
    broken = sorted(name for name, column in raw.items() if not np.isfinite(column).all())
    if broken:
        what = f"{path} holds numbers that are not finite in {', '.join(broken)}."
        raise FileFormatError(what, "Export it again from its source.")
    quats = np.stack([raw[name] for name in _ROTATION], axis=1)
    length = np.linalg.norm(quats, axis=1, keepdims=True)
    with np.errstate(over="ignore"):
        scales = np.exp(np.stack([raw[name] for name in _SCALE], axis=1))
        opacities = 1 / (1 + np.exp(-raw["opacity"]))
    if not np.isfinite(scales).all() or (length == 0).any():
        raise FileFormatError(f"{path} holds infinite scales or quaternions of length 0.", "Export it again from its source.")
    return SplatCloud(
        means=np.stack([raw[name] for name in _POSITION], axis=1),
        scales=scales,
        quats=quats / length,
        opacities=opacities,
        sh0=np.stack([raw[name] for name in _COLOUR], axis=1),
        comments=tuple(comment for comment in comments if not comment.startswith(_RECIPE_MARK)),
    )


def read_recipe(path: Path | str) -> str:
    """The recipe in the header's comments. Raises `FileFormatError` if there is none or it is no PLY."""
    with read_errors(path), open(path, "rb") as file:
        comments = _read_header(path, file.read(MAX_HEADER_BYTES)).comments
    pieces = [comment.removeprefix(_RECIPE_MARK) for comment in comments if comment.startswith(_RECIPE_MARK)]
    if not pieces:
        raise FileFormatError(f"{path} holds no recipe.", "Choose a PLY that Maquette exported.")
    try:
        return "".join(json.loads(piece) for piece in pieces)
    except (ValueError, TypeError) as error:
        raise FileFormatError(f"The recipe in {path} is damaged ({error}).", "Use the recipe.toml beside it.") from error


@dataclass(frozen=True)
class _Header:
    size: int  # bytes before the data
    count: int
    dtype: np.dtype
    comments: tuple[str, ...]


def _read_header(path: Path | str, start: bytes) -> _Header:
    """Parse the text before the data; the vertex element must come first and hold no lists."""
    end = start.find(b"end_header\n")
    end, newline = (end, 11) if end >= 0 else (start.find(b"end_header\r\n"), 12)
    if not start.startswith(b"ply") or end < 0:
        raise FileFormatError(f"{path} is not a PLY file, or its header is cut off.", "Choose a .ply file of splats.")
    lines = [line.strip() for line in start[:end].decode("ascii", "replace").splitlines()[1:]]
    words = [line.split() for line in lines if line and not line.startswith(("comment", "obj_info"))]
    comments = tuple(line.removeprefix("comment").strip() for line in lines if line.startswith("comment"))
    try:
        return _Header(end + newline, *_vertex_layout(words), comments)
    except (ValueError, KeyError, IndexError) as error:
        what = f"{path} has a PLY header that Maquette cannot read ({error})."
        raise FileFormatError(what, "Save it as binary PLY in the 3DGS layout, with at most 20 million splats.") from error


def _vertex_layout(words: Sequence[Sequence[str]]) -> tuple[int, np.dtype]:
    """Count and row layout of the first element. Raises ValueError, KeyError, IndexError with the reason."""
    order = {"binary_little_endian": "<", "binary_big_endian": ">"}
    if words[0][0] != "format" or words[0][1] not in order:
        raise ValueError(f"its format is {' '.join(words[0][1:])}, not binary")
    if words[1][:2] != ["element", "vertex"] or not 0 <= int(words[1][2]) <= MAX_SPLATS:
        raise ValueError(f"it starts with {' '.join(words[1])}")
    rest = [k for k, line in enumerate(words) if line[0] == "element"][1:]
    properties = words[2 : rest[0]] if rest else words[2:]
    lists = [line for line in properties if line[1] not in _TYPES]
    if lists:
        raise ValueError(f"{' '.join(lists[0])} is not a plain number")
    return int(words[1][2]), np.dtype([(line[2], order[words[0][1]] + _TYPES[line[1]]) for line in properties])
