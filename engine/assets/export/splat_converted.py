"""Packed splat formats by way of PLY, which GaussForge (Apache-2.0) converts; the extra ``splats`` installs
it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from engine.assets.export.files import atomic_path
from engine.assets.export.formats.base import ExportOptions
from engine.assets.export.formats.ply import write as write_ply
from engine.assets.export.splat_cloud import SplatCloud
from engine.errors import StudioError

SPZ_VERSION = 3
"""Version 4 is no gzip stream any more, and viewers fail on it."""


def write_converted(path: Path, cloud: SplatCloud, options: ExportOptions, kind: str) -> None:
    """Write a cloud as ``kind``, a name of GaussForge's. Raises `StudioError` where it fails."""
    import gaussforge

    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "scene.ply"
        write_ply(plain, cloud, ExportOptions())
        converted = gaussforge.GaussForge().convert(plain.read_bytes(), "ply", kind, spz_version=SPZ_VERSION)
    if "error" in converted:
        raise StudioError(
            f"GaussForge could not write {path.name}: {converted['error']}.", "Export the splats as PLY."
        )
    with atomic_path(path) as partial:
        partial.write_bytes(converted["data"])
