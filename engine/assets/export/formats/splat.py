"""Splats as antimatter15's ``.splat``: 32 bytes each, the ones that cover most first."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.assets.export.files import atomic_path
from engine.assets.export.formats.base import ExportFormat, ExportOptions
from engine.assets.export.formats.counting import splats_of_file
from engine.assets.export.splat_cloud import SplatCloud, rgb_from_sh0, to_file
from engine.assets.export.splat_packed import SPLAT_ROW


def write(path: Path, content: SplatCloud, options: ExportOptions) -> None:
    """Write it in the axes of viewers; there is no place for a recipe."""
    with atomic_path(path) as partial:
        partial.write_bytes(splat_rows(content).tobytes())


def splat_rows(cloud: SplatCloud) -> np.ndarray:
    """The rows (N,) of a ``.splat`` in the axes of viewers."""
    order = np.argsort(-cloud.opacities * cloud.scales.prod(axis=1), kind="stable")
    means, quats = to_file(cloud.means, cloud.quats)
    rows = np.zeros(len(order), SPLAT_ROW)
    rows["position"], rows["scale"] = means[order], cloud.scales[order]
    colour = np.column_stack([rgb_from_sh0(cloud.sh0), cloud.opacities])[order]
    rows["rgba"] = np.rint(np.clip(colour, 0, 1) * 255)
    rows["rotation"] = np.clip(np.rint(quats[order] * 128 + 128), 0, 255)
    return rows


FORMAT = ExportFormat(
    title="Splats, .splat",
    suffix=".splat",
    content="splats",
    write=write,
    count=splats_of_file,
    bytes_each=32,
    help="Small and old; for web viewers.",
    options=("size_m", "origin"),
)
