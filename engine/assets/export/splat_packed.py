"""Splats in few bytes: the packed PLY of PlayCanvas' SuperSplat, and antimatter15's ``.splat``.

Packed PLY keeps for each 256 splats the bounds of positions, logarithms of scales and, in newer files,
colours, and of each splat four words of 32 bits: position 11-10-11, rotation 2-10-10-10 (which component is
largest, and the three others), scale 11-10-11 and colour with opacity 8-8-8-8. ``.splat`` has 32 bytes:
position and linear scale as floats, colour, opacity and rotation as bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.assets.export.splat_cloud import sh0_from_rgb
from engine.assets.export.splat_rows import COLOUR, POSITION, ROTATION, SCALE

CHUNK = 256
PACKED = ("packed_position", "packed_rotation", "packed_scale", "packed_color")
SPLAT_ROW = np.dtype([("position", "<f4", 3), ("scale", "<f4", 3), ("rgba", "u1", 4), ("rotation", "u1", 4)])
_AXES, _COLOURS = ("x", "y", "z"), ("r", "g", "b")
_LARGE_LOGIT = 40.0


def unpacked(chunks: Mapping[str, np.ndarray], rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns of a plain splat file (see `splat_rows`) of a packed one's. Raises ValueError where chunks
    are missing.
    """
    words = [np.asarray(rows[name]).astype(np.uint32) for name in PACKED]
    chunk = np.arange(len(words[0])) // CHUNK
    if len(chunk) and chunk[-1] >= len(chunks["min_x"]):
        raise ValueError(f"it has {len(chunks['min_x']):,} chunks for {len(chunk):,} splats")

    def within(name: str, share: np.ndarray) -> np.ndarray:
        low, high = (np.asarray(chunks[f"{end}_{name}"], np.float64)[chunk] for end in ("min", "max"))
        return low + share * (high - low)

    places = {
        name: within(axis, share)
        for name, axis, share in zip(POSITION, _AXES, _thirds(words[0]), strict=True)
    }
    sizes = {
        name: within(f"scale_{axis}", share)
        for name, axis, share in zip(SCALE, _AXES, _thirds(words[2]), strict=True)
    }
    colours = [((words[3] >> shift) & 255) / 255.0 for shift in (24, 16, 8)]
    if "min_r" in chunks:
        colours = [within(name, share) for name, share in zip(_COLOURS, colours, strict=True)]
    turns = dict(zip(ROTATION, _rotation(words[1]).T, strict=True))
    harmonics = {name: sh0_from_rgb(colour) for name, colour in zip(COLOUR, colours, strict=True)}
    return {**places, **sizes, **turns, **harmonics, "opacity": _logit((words[3] & 255) / 255.0)}


def rows_of_splat(data: bytes) -> dict[str, np.ndarray]:
    """The columns of a plain splat file of a ``.splat``'s bytes. Raises ValueError for what is none."""
    if not data or len(data) % SPLAT_ROW.itemsize:
        raise ValueError(f"its {len(data):,} bytes are no whole number of splats")
    rows = np.frombuffer(data, SPLAT_ROW)
    sound = (
        np.isfinite(rows["position"]).all(1) & np.isfinite(rows["scale"]).all(1) & (rows["scale"] >= 0).all(1)
    )
    if sound.mean() < 0.5 or np.abs(rows["position"][sound]).max(initial=0) > 1e9:
        raise ValueError("most of its rows are no splats")
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = np.log(rows["scale"].astype(np.float64))
    colours, turns = rows["rgba"] / 255.0, (rows["rotation"].astype(np.float64) - 128) / 128
    columns = {
        **dict(zip(POSITION, rows["position"].T, strict=True)),
        **dict(zip(SCALE, sizes.T, strict=True)),
    }
    columns |= {**dict(zip(ROTATION, turns.T, strict=True)), "opacity": _logit(colours[:, 3])}
    return columns | {name: sh0_from_rgb(colours[:, k]) for k, name in enumerate(COLOUR)}


def _thirds(words: np.ndarray) -> tuple[np.ndarray, ...]:
    """Three shares (N,) in 0..1 of 11, 10 and 11 bits."""
    return (words >> 21) / 2047.0, ((words >> 11) & 1023) / 1023.0, (words & 2047) / 2047.0


def _rotation(words: np.ndarray) -> np.ndarray:
    """Unit quaternions (N,4) wxyz: three components in -1/sqrt(2)..1/sqrt(2), and the largest, which makes
    the length 1.
    """
    others = np.stack([(((words >> shift) & 1023) / 1023.0 - 0.5) * np.sqrt(2) for shift in (20, 10, 0)], 1)
    largest = np.sqrt(np.maximum(1 - (others**2).sum(1), 0))
    number = (words >> 30).astype(int)
    quats = np.zeros((len(words), 4))
    for k in range(4):
        rows = number == k
        quats[rows] = np.insert(others[rows], k, largest[rows], axis=1)
    return quats


def _logit(opacity: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(opacity / np.maximum(1 - opacity, np.exp(-_LARGE_LOGIT)))
