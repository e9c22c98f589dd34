"""Splat clouds as PLY in the layout of the reference 3DGS code (arXiv 2308.04079), which splat viewers and
editors read.

    our name    in the file                      stored as
    means       x y z
                nx ny nz                         zeros
    sh0         f_dc_0 f_dc_1 f_dc_2             colour = 0.5 + SH_C0 * f_dc
    opacities   opacity                          logit
    scales      scale_0 scale_1 scale_2          natural logarithm
    quats       rot_0 rot_1 rot_2 rot_3          w x y z, unit length

The recipe is kept in the header, in ``comment`` lines; a long one as bytes of an element behind the splats,
because viewers read no more than the first 8 to 10 kB as the header.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from engine.assets.export.files import atomic_path, read_errors
from engine.assets.export.ply_rows import MAX_HEADER_BYTES, Element, Header, read_elements, read_header
from engine.assets.export.splat_cloud import SH_C0, SplatCloud, in_world, rgb_from_sh0, sh0_from_rgb
from engine.assets.export.splat_packed import PACKED, unpacked
from engine.assets.export.splat_rows import MIN_SCALE, cloud_of, colours_as_harmonics, missing_columns
from engine.errors import FileFormatError, InputError

__all__ = [
    "SH_C0",
    "SplatCloud",
    "read_recipe",
    "read_splat_ply",
    "rgb_from_sh0",
    "sh0_from_rgb",
    "splats_in",
    "write_splat_ply",
]

MAX_SPLATS = 20_000_000
OPACITY_MARGIN = 1e-6
"""Opacities are kept this far from 0 and 1, where the logit is infinite."""

_POSITION, _NORMAL, _COLOUR = ("x", "y", "z"), ("nx", "ny", "nz"), ("f_dc_0", "f_dc_1", "f_dc_2")
_SCALE, _ROTATION = ("scale_0", "scale_1", "scale_2"), ("rot_0", "rot_1", "rot_2", "rot_3")
_WRITTEN = (*_POSITION, *_NORMAL, *_COLOUR, "opacity", *_SCALE, *_ROTATION)
_RECIPE_MARK, _RECIPE_PIECE, _RECIPE = "recipe ", 120, "recipe"
LONGEST_HEADER = 8_000
"""Bytes; gsplat.js, for one, reads 10,240 and gives up."""


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
    """Write N Gaussians; arrays as in `SplatCloud`. Raises `InputError` for wrong shapes or numbers,
    `StorageError`.
    """
    shapes = {"means": (3,), "scales": (3,), "quats": (4,), "opacities": (), "sh0": (3,)}
    given = {"means": means, "scales": scales, "quats": quats, "opacities": opacities, "sh0": sh0}
    for name, tail in shapes.items():
        _check_array(name, np.asarray(given[name]), (len(means), *tail))
    length = np.linalg.norm(quats, axis=1, keepdims=True)
    if len(means) and length.min() == 0:
        raise InputError(
            "quats holds a quaternion of length 0, which is no rotation.",
            "Drop that splat or use 1, 0, 0, 0.",
        )
    opacity = np.clip(np.asarray(opacities, np.float64), OPACITY_MARGIN, 1 - OPACITY_MARGIN)[:, None]
    columns = [means, np.zeros((len(means), 3)), sh0, np.log(opacity / (1 - opacity))]
    columns += [np.log(np.maximum(scales, MIN_SCALE)), quats / np.maximum(length, 1e-30)]
    header, behind = _header(len(means), [*comments, *_recipe_comments(recipe)]), b""
    if len(header) > LONGEST_HEADER:
        behind = recipe.encode()
        header = _header(len(means), comments, len(behind))
    with atomic_path(path) as partial, open(partial, "wb") as file:
        file.write(header)
        file.write(np.concatenate(columns, axis=1).astype("<f4").tobytes())
        file.write(behind)


def _check_array(name: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise InputError(
            f"{name} has shape {values.shape}, but {shape} is needed.",
            "Give one row of each for every splat.",
        )
    broken = values.size - int(np.isfinite(values).sum())
    if broken:
        raise InputError(
            f"{name} holds {broken} numbers that are not finite.", "Go back to the last good snapshot."
        )


def _header(count: int, comments: Sequence[str], recipe_bytes: int = 0) -> bytes:
    for comment in comments:
        if "\n" in comment or "\r" in comment or not comment.isascii():
            raise InputError(
                f"A PLY comment must be one line of ASCII, got {comment!r}.",
                "Shorten it or put it in the recipe.",
            )
    lines = ["ply", "format binary_little_endian 1.0", *(f"comment {comment}" for comment in comments)]
    lines += [f"element vertex {count}", *(f"property float {name}" for name in _WRITTEN)]
    lines += [f"element {_RECIPE} {recipe_bytes}", "property uchar byte"] if recipe_bytes else []
    lines.append("end_header")
    return ("\n".join(lines) + "\n").encode("ascii")


def with_recipe(data: bytes, recipe: str) -> bytes:
    """The bytes of a splat PLY of any maker with another recipe in them, and everything else as it was.

    Raises ValueError for what is no PLY with a binary body.
    """
    header = read_header(data[:MAX_HEADER_BYTES])
    old = next((element for element in header.elements if element.name == _RECIPE), None)
    body = data[header.size : len(data) - (0 if old is None else old.count)]
    lines = data[: header.size].decode("ascii").splitlines()
    lines = [line for line in lines if not line.startswith(f"comment {_RECIPE_MARK}")]
    if old is not None:
        at = lines.index(f"element {_RECIPE} {old.count}")
        del lines[at : at + 2]
    comments = [f"comment {comment}" for comment in _recipe_comments(recipe)]
    short = [*lines[:2], *comments, *lines[2:]]
    if sum(len(line) + 1 for line in short) <= LONGEST_HEADER:
        return ("\n".join(short) + "\n").encode("ascii") + body
    behind = recipe.encode()
    lines[-1:] = [f"element {_RECIPE} {len(behind)}", "property uchar byte", lines[-1]]
    return ("\n".join(lines) + "\n").encode("ascii") + body + behind


def _recipe_comments(recipe: str) -> list[str]:
    """The recipe as ASCII comment lines: JSON strings whose concatenation is the text."""
    lines = recipe.splitlines(keepends=True)
    pieces = [line[i : i + _RECIPE_PIECE] for line in lines for i in range(0, len(line), _RECIPE_PIECE)]
    return [_RECIPE_MARK + json.dumps(piece) for piece in pieces]


def read_splat_ply(path: Path | str, most: int = MAX_SPLATS) -> SplatCloud:
    """Read a splat PLY, plain or packed, in our axes if it is one of ours.

    Harmonics above the constant are left out, other extra properties and elements too.

    Rows of no use are left out and counted in ``notes``. Raises `FileFormatError` for what is no PLY, no
    splat cloud, truncated, mostly not finite, or of more than ``most`` splats.
    """
    with read_errors(path), open(path, "rb") as file:
        return splats_in(file, path, most)


def splats_in(file: BinaryIO, path: Path | str, most: int = MAX_SPLATS) -> SplatCloud:
    """As `read_splat_ply`, of an open file, which is spoken of as ``path``."""
    header = _header_of(path, file.read(MAX_HEADER_BYTES))
    vertex = _vertex(path, header)
    if vertex.count > most:
        what = f"{path} holds {vertex.count:,} splats; at most {most:,} can be used here."
        raise FileFormatError(what, "Choose a smaller file, or thin this one out in a splat editor.")
    comments = tuple(comment for comment in header.comments if not comment.startswith(_RECIPE_MARK))
    columns = _columns(path, file, header, vertex)
    lacking = missing_columns(list(columns))
    if lacking:
        raise FileFormatError(
            f"{path} is a PLY without splats: it lacks {', '.join(lacking)}.",
            "Choose a 3DGS point_cloud.ply.",
        )
    return in_world(cloud_of(path, columns, comments))


def _columns(path: Path | str, file: BinaryIO, header: Header, vertex: Element) -> dict[str, np.ndarray]:
    """The numbers of each splat by name, as the layout of the reference code has them."""
    before = header.elements[: header.elements.index(vertex)]
    packed = PACKED[0] in {column.name for column in vertex.properties}
    try:
        if header.order and not packed and not any(element.has_lists for element in before):
            file.seek(
                header.size + sum(element.dtype(header.order).itemsize * element.count for element in before)
            )
            data = file.read(vertex.dtype(header.order).itemsize * vertex.count)
            alone = Header(0, header.order, (vertex,))
            return colours_as_harmonics(read_elements(data, alone, ["vertex"])["vertex"].columns)
        file.seek(0)
        rows = read_elements(file.read(), header, ["chunk", "vertex"] if packed else ["vertex"])
        if packed:
            return unpacked(rows["chunk"].columns, rows["vertex"].columns)
        return colours_as_harmonics(rows["vertex"].columns)
    except (ValueError, KeyError, IndexError) as error:
        raise _unreadable(path, error) from error


def read_recipe(path: Path | str) -> str:
    """The recipe of the header's comments or behind the splats. Raises `FileFormatError` if there is none or
    it is no PLY.
    """
    with read_errors(path), open(path, "rb") as file:
        header = _header_of(path, file.read(MAX_HEADER_BYTES))
        if any(element.name == _RECIPE for element in header.elements):
            file.seek(0)
            return _recipe_behind(path, file.read(), header)
    comments = header.comments
    pieces = [comment.removeprefix(_RECIPE_MARK) for comment in comments if comment.startswith(_RECIPE_MARK)]
    if not pieces:
        raise FileFormatError(f"{path} holds no recipe.", "Choose a PLY that Maquette exported.")
    try:
        return "".join(json.loads(piece) for piece in pieces)
    except (ValueError, TypeError) as error:
        raise FileFormatError(
            f"The recipe in {path} is damaged ({error}).", "Use the recipe.toml beside it."
        ) from error


def _recipe_behind(path: Path | str, data: bytes, header: Header) -> str:
    try:
        return read_elements(data, header, [_RECIPE])[_RECIPE].columns["byte"].tobytes().decode()
    except (ValueError, KeyError) as error:
        raise FileFormatError(
            f"The recipe in {path} is damaged ({error}).", "Use the recipe.toml beside it."
        ) from error


def _header_of(path: Path | str, start: bytes) -> Header:
    try:
        return read_header(start)
    except ValueError as error:
        raise _unreadable(path, error) from error


def _vertex(path: Path | str, header: Header) -> Element:
    """The element that holds the splats: it has no lists."""
    vertices = [element for element in header.elements if element.name == "vertex"]
    if not vertices:
        raise FileFormatError(
            f"{path} is a PLY without splats: it has no vertices.", "Choose a 3DGS point_cloud.ply."
        )
    lists = [column.name for column in vertices[0].properties if column.counted]
    if lists:
        raise _unreadable(path, ValueError(f"{lists[0]} is a list, not a plain number"))
    if vertices[0].count > MAX_SPLATS:
        raise _unreadable(path, ValueError(f"it starts with element vertex {vertices[0].count}"))
    return vertices[0]


def _unreadable(path: Path | str, error: Exception) -> FileFormatError:
    what = f"{path} is a PLY that Maquette cannot read: {error}."
    return FileFormatError(what, "Save it as binary PLY in the 3DGS layout, with at most 20 million splats.")
