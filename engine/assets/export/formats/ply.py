"""Splats as PLY in the layout of the reference 3DGS code."""

from __future__ import annotations

from pathlib import Path

from engine.assets.export.formats.base import ExportFormat, ExportOptions
from engine.assets.export.formats.counting import splats_of_file
from engine.assets.export.ply import write_splat_ply
from engine.assets.export.splat_cloud import AXES_COMMENT, SplatCloud, to_file


def write(path: Path, content: SplatCloud, options: ExportOptions) -> None:
    """Write it in the axes of viewers."""
    means, quats = to_file(content.means, content.quats)
    parts = (means, content.scales, quats, content.opacities, content.sh0)
    write_splat_ply(path, *parts, comments=[AXES_COMMENT], recipe=options.recipe)


FORMAT = ExportFormat(
    title="Splats, PLY",
    suffix=".ply",
    content="splats",
    write=write,
    count=splats_of_file,
    bytes_each=68,
    help="What every splat viewer and editor reads.",
    options=("size_m", "origin"),
)
