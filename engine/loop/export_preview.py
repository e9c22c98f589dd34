"""What an export would look like: its picture from a camera, how many parts it has, how large it gets.
Nothing is written.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, cast

import numpy as np

from engine.assets.export.formats.base import ExportOptions, Trim
from engine.assets.export.sheet import over_paper
from engine.core.camera import Camera
from engine.errors import InputError
from engine.loop.export_differences import draw_mesh
from engine.loop.export_source import Source, open_source
from engine.loop.exporting import MOST_TEXTURED_FACES, before, estimated_bytes, format_named, reduced_mesh
from engine.loop.layers import render_layer
from engine.loop.mesh import ColouredMesh
from engine.loop.results import FILE_OF
from engine.loop.trimming import histograms, trimmed
from engine.scene.splats import Splats

REMEMBERED = 4
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Facts:
    """What can be said of a source: whether it has ``splats`` and how many, and their histograms by name."""

    splats: int
    histograms: dict[str, list[int]]


class Previews:
    """Of results by their folders. What was read and carved last is remembered; may be used by several
    threads, one at a time.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def facts(self, folder: Path) -> Facts:
        """Raises `InputError` for a folder without a result."""
        scene = self._source(folder, Trim()).scene
        splats = scene.scene if scene is not None and isinstance(scene.scene, Splats) else None
        return Facts(0, {}) if splats is None else Facts(len(splats), histograms(splats))

    def estimate(self, folder: Path, key: str, options: ExportOptions) -> dict[str, int]:
        """``bytes`` of the file, about, and how many ``splats`` are left of ``all``. Raises `InputError`."""
        every, left = (self._source(folder, trim).scene for trim in (Trim(), options.trim))
        all_of_it, count = (0 if copy is None else len(cast(Splats, copy.scene)) for copy in (every, left))
        return {"bytes": estimated_bytes(key, options, count), "splats": count, "all": all_of_it}

    def picture(self, folder: Path, key: str, options: ExportOptions, camera: Camera) -> np.ndarray:
        """RGB (H,W,3) uint8, over paper where the background is left as it is. Raises `InputError`."""
        chosen, source = format_named(key), self._source(folder, options.trim)
        if chosen.content in ("mesh", "texture"):
            mesh = self._mesh(
                folder, options, MOST_TEXTURED_FACES if chosen.content == "texture" else options.faces
            )
            return over_paper(draw_mesh(mesh.vertices, mesh.faces, mesh.colours[mesh.faces], [camera])[0])
        if source.scene is None:
            raise InputError("This result has no splats to show.", "Choose a mesh format.")
        layer, lamp, ground = (
            (options.layer, options.lamp, options.ground) if chosen.content == "film" else _PLAIN
        )
        return over_paper(before(render_layer(source.scene, [camera], layer, lamp)[0], ground))

    def _source(self, folder: Path, trim: Trim) -> Source:
        """What is left of a result, read anew when its files change."""
        return self._remembered((*_stamps(folder), trim), lambda: trimmed(open_source(folder), trim)[0])

    def _mesh(self, folder: Path, options: ExportOptions, most_faces: int) -> ColouredMesh:
        faces, source = min(options.faces, most_faces), self._source(folder, options.trim)
        return self._remembered((*_stamps(folder), options.trim, faces), lambda: reduced_mesh(source, faces))

    def _remembered(self, key: Hashable, make: Callable[[], Thing]) -> Thing:
        with self._lock:
            if key not in self._known:
                self._known[key] = make()
            self._known.move_to_end(key)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            return self._known[key]


_PLAIN = (ExportOptions().layer, ExportOptions().lamp, "")


def _stamps(folder: Path) -> tuple[Hashable, ...]:
    """By what the files of a result are recognised as those that were read."""
    paths = (folder / FILE_OF[kind] for kind in ("ply", "glb"))
    return (folder, *(path.stat().st_mtime_ns if path.is_file() else 0 for path in paths))
