"""Splats, compressed PLY."""

from __future__ import annotations

from pathlib import Path

from engine.assets.export.formats.base import ExportFormat, ExportOptions
from engine.assets.export.formats.counting import splats_of_file
from engine.assets.export.splat_cloud import SplatCloud
from engine.assets.export.splat_converted import write_converted


def write(path: Path, content: SplatCloud, options: ExportOptions) -> None:
    """Write it in the axes of viewers; there is no place for a recipe."""
    write_converted(path, content, options, "compressed.ply")


FORMAT = ExportFormat(
    title="Splats, compressed PLY",
    suffix=".compressed.ply",
    content="splats",
    write=write,
    count=splats_of_file,
    bytes_each=17,
    help="PlayCanvas' packed PLY, a quarter of a plain one.",
    options=("size_m", "origin"),
    package="gaussforge",
    extra="splats",
)
