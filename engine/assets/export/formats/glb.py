"""GLB with a colour at each vertex."""

from __future__ import annotations

from pathlib import Path

from engine.assets.export.formats.base import ExportFormat, ExportOptions, MeshContent
from engine.assets.export.formats.counting import faces_by_trimesh
from engine.assets.export.glb import write_glb


def write(path: Path, content: MeshContent, options: ExportOptions) -> None:
    """Write it."""
    write_glb(
        path, content.vertices, content.faces, content.colours, recipe=options.recipe, name=options.name
    )


FORMAT = ExportFormat(
    title="GLB, vertex colours",
    suffix=".glb",
    content="mesh",
    write=write,
    count=faces_by_trimesh,
    bytes_each=20,
    help="For Blender, game engines and the web; y is up, as glTF has it.",
    options=("size_m", "origin", "faces"),
)
