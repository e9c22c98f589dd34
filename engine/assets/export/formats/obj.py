"""Wavefront OBJ with its material and texture, in one ZIP archive."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.assets.export.bake import Baked
from engine.assets.export.files import atomic_path
from engine.assets.export.formats.base import ExportFormat, ExportOptions, turned_up
from engine.assets.export.formats.counting import faces_in_archive
from engine.assets.export.sheet import png_of

STEM = "mesh"


def write(path: Path, content: Baked, options: ExportOptions) -> None:
    """Write the archive: ``mesh.obj``, ``mesh.mtl``, ``mesh.png``, and the recipe beside them."""
    up = options.up or FORMAT.up
    with atomic_path(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{STEM}.obj", "\n".join(_lines(content, options.name, up)) + "\n")
        archive.writestr(
            f"{STEM}.mtl", f"newmtl {STEM}\nKa 0 0 0\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {STEM}.png\n"
        )
        archive.writestr(f"{STEM}.png", png_of(content.texture))
        if options.recipe:
            archive.writestr("recipe.toml", options.recipe)


def _lines(content: Baked, name: str, up: str) -> Iterator[str]:
    """Counted from 1; v of texture coordinates runs upwards."""
    yield f"mtllib {STEM}.mtl\no {name.replace(' ', '_')}"
    yield from _rows("v", turned_up(content.vertices, up))
    yield from _rows("vt", content.uv * [1, -1] + [0, 1])
    yield from _rows("vn", turned_up(content.normals, up))
    yield f"usemtl {STEM}"
    for a, b, c in content.faces + 1:
        yield f"f {a}/{a}/{a} {b}/{b}/{b} {c}/{c}/{c}"


def _rows(word: str, rows: np.ndarray) -> Iterator[str]:
    return (f"{word} " + " ".join(f"{value:.6f}" for value in row) for row in rows)


FORMAT = ExportFormat(
    title="OBJ + MTL in a ZIP",
    suffix=".zip",
    content="texture",
    write=write,
    count=faces_in_archive,
    bytes_each=70,
    help="For older programs: mesh, material and texture as three files.",
    options=("size_m", "up", "origin", "faces", "texture_size"),
    up="y",
    bytes_texel=0.3,
)
