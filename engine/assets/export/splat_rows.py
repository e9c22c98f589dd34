"""From the columns that splat files store to a cloud: logarithms and logits are undone, and rows of no use
are left out.

Layouts: 3DGS (arXiv 2308.04079), 2DGS with two scales (arXiv 2403.17888), and files that keep linear scales
and opacities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.assets.export.splat_cloud import SplatCloud, sh0_from_rgb
from engine.errors import FileFormatError

POSITION, COLOUR = ("x", "y", "z"), ("f_dc_0", "f_dc_1", "f_dc_2")
SCALE, ROTATION = ("scale_0", "scale_1", "scale_2"), ("rot_0", "rot_1", "rot_2", "rot_3")
REQUIRED = (*POSITION, *COLOUR, "opacity", *SCALE, *ROTATION)
THICKNESS = 0.3
"""How thick a disc (a splat of two scales) is made, beside the lesser of them, so that it can be seen from
the side.
"""

LARGEST_SHARE = 0.25
"""Of a cloud's radius: if half of all splats were larger with their scales taken for logarithms, they are
none.
"""

MOST_BROKEN = 0.5
MIN_SCALE = 1e-12


def missing_columns(names: Sequence[str]) -> list[str]:
    """What of a splat's columns is lacking; the third scale, of a disc, is not."""
    return [name for name in REQUIRED if name not in names and name != "scale_2"]


def cloud_of(path: object, columns: Mapping[str, np.ndarray], comments: Sequence[str] = ()) -> SplatCloud:
    """A cloud of the columns in ``REQUIRED``, each (N,). Raises `FileFormatError` where most rows are of no
    use.
    """
    raw = {name: np.asarray(columns[name]).astype(np.float32) for name in REQUIRED if name in columns}
    count = len(raw["x"])
    notes = []
    means, sh0, quats = (np.stack([raw[name] for name in names], 1) for names in (POSITION, COLOUR, ROTATION))
    scales, linear = _scales(np.stack([raw[name] for name in SCALE if name in raw], 1), means)
    if linear:
        notes.append("Its scales were taken as they are, not for logarithms.")
    if "scale_2" not in raw:
        notes.append("Its splats are discs; they were given a thickness.")
    opacities = _opacities(raw["opacity"], linear)
    length = np.linalg.norm(quats, axis=1)
    sound = {
        "positions": np.isfinite(means).all(1),
        "colours": np.isfinite(sh0).all(1),
        "scales": np.isfinite(scales).all(1),
        "rotations": np.isfinite(length) & (length > 0),
        "opacity": ~np.isnan(opacities),
    }
    kept = np.all(list(sound.values()), axis=0)
    broken = count - int(kept.sum())
    if broken > MOST_BROKEN * count:
        raise _broken(path, raw, sound, broken)
    if broken:
        notes.append(f"{broken:,} of {count:,} splats were left out: "
                     f"{', '.join(k for k, v in sound.items() if not v.all())} "
                     "not finite, or no rotation.")  # fmt: skip
    visible = kept & (opacities > 0)
    if visible.sum() < kept.sum():
        notes.append(f"{int(kept.sum() - visible.sum()):,} splats that cannot be seen were left out.")
    quats = quats[visible] / length[visible, None]
    return SplatCloud(
        means[visible],
        np.maximum(scales[visible], 0),
        quats,
        opacities[visible],
        sh0[visible],
        tuple(comments),
        tuple(notes),
    )


def colours_as_harmonics(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns, with the harmonics of plain colours (red, green, blue in 0..255) where there are no
    harmonics.
    """
    names = ("red", "green", "blue")
    if COLOUR[0] in columns or not all(name in columns for name in names):
        return dict(columns)
    added = {
        dc: sh0_from_rgb(np.asarray(columns[name], np.float64) / 255)
        for dc, name in zip(COLOUR, names, strict=True)
    }
    return {**columns, **added}


def _scales(stored: np.ndarray, means: np.ndarray) -> tuple[np.ndarray, bool]:
    """Linear scales (N,3) of two or three stored columns, and whether they were linear already."""
    finite = stored[np.isfinite(stored).all(1) & np.isfinite(means).all(1)]
    linear = len(finite) > 0 and bool((finite >= 0).all()) and _too_large(finite, means)
    with np.errstate(over="ignore"):
        scales = stored if linear else np.exp(stored)
    if scales.shape[1] == 2:
        scales = np.concatenate([scales, THICKNESS * scales.min(1, keepdims=True)], 1)
    return scales, linear


def _too_large(scales: np.ndarray, means: np.ndarray) -> bool:
    places = means[np.isfinite(means).all(1)]
    radius = float(np.quantile(np.linalg.norm(places - np.median(places, 0), axis=1), 0.9))
    middle = float(np.median(scales))
    return np.exp(min(middle, 80.0)) > LARGEST_SHARE * radius and middle <= LARGEST_SHARE * radius


def _opacities(stored: np.ndarray, linear: bool) -> np.ndarray:
    """In 0..1; endless logits are 0 and 1."""
    if linear and ((stored >= 0) & (stored <= 1) | np.isnan(stored)).all():
        return stored
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-stored))


def _broken(
    path: object, raw: Mapping[str, np.ndarray], sound: Mapping[str, np.ndarray], broken: int
) -> FileFormatError:
    columns = sorted(name for name, column in raw.items() if not np.isfinite(column).all()) or [
        name for name, fine in sound.items() if not fine.all()
    ]
    what = (
        f"{path} holds numbers that are not finite, or no rotations, in {', '.join(columns)}: "
        f"{broken:,} splats."
    )
    return FileFormatError(what, "Export it again from its source.")
