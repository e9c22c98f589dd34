"""GLB with a texture."""

from __future__ import annotations

from pathlib import Path

from engine.assets.export.bake import Baked
from engine.assets.export.formats.base import ExportFormat, ExportOptions
from engine.assets.export.formats.counting import faces_by_trimesh
from engine.assets.export.glb import write_textured_glb


def write(path: Path, content: Baked, options: ExportOptions) -> None:
    """Write it."""
    write_textured_glb(path, content, recipe=options.recipe, name=options.name)


FORMAT = ExportFormat(
    title="GLB, texture",
    suffix=".glb",
    content="texture",
    write=write,
    count=faces_by_trimesh,
    bytes_each=35,
    help="Unwrapped, with its colours in one picture.",
    options=("size_m", "origin", "faces", "texture_size"),
    bytes_texel=0.3,
)
