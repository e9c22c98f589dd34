"""3MF for 3D printers: shape with colours, in millimetres, by lib3mf of the 3MF Consortium (BSD)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.assets.export.files import atomic_path
from engine.assets.export.formats.base import (
    MESH_OPTIONS,
    ExportFormat,
    ExportOptions,
    MeshContent,
    turned_up,
)
from engine.assets.export.formats.counting import faces_by_lib3mf, locale_kept
from engine.errors import InputError

MILLIMETRES = 1000.0
LEVELS = 31
"""Steps of each channel: equal colours share an entry of the file's colour group."""


def write(path: Path, content: MeshContent, options: ExportOptions) -> None:
    """Write one object with a colour at each corner, and the recipe as its description.

    Raises `InputError` for a mesh that encloses nothing, which no printer can make.
    """
    import lib3mf
    from lib3mf import Lib3MF

    wrapper = lib3mf.get_wrapper()
    model: Any = wrapper.CreateModel()
    model.SetUnit(Lib3MF.ModelUnit.MilliMeter)
    mesh = model.AddMeshObject()
    mesh.SetName(options.name)
    points = turned_up(content.vertices * MILLIMETRES, options.up or FORMAT.up)
    mesh.SetGeometry(
        _filled(Lib3MF.Position, points, np.float32), _filled(Lib3MF.Triangle, content.faces, np.uint32)
    )
    if not mesh.IsManifoldAndOriented():
        raise InputError(
            "The mesh is open or tangled, so it has no inside to print.", "Ask for more faces, or export STL."
        )
    _paint(Lib3MF, model, mesh, content)
    if options.recipe:
        model.GetMetaDataGroup().AddMetaData("", "Description", options.recipe, "xs:string", True)
    model.AddBuildItem(mesh, wrapper.GetIdentityTransform())
    with atomic_path(path) as partial, locale_kept():
        model.QueryWriter("3mf").WriteToFile(str(partial))


def _filled(kind: Any, rows: np.ndarray, number: type) -> Any:
    """An array of the library's structures over rows of numbers."""
    return (kind * len(rows)).from_buffer_copy(np.ascontiguousarray(rows, number).tobytes())


def _paint(library: Any, model: Any, mesh: Any, content: MeshContent) -> None:
    steps = np.rint(np.clip(content.colours, 0, 1) * LEVELS).astype(int)
    kinds, kind_of = np.unique(steps, axis=0, return_inverse=True)
    group = model.AddColorGroup()
    shades = (kinds * (255 / LEVELS) + 0.5).astype(int).tolist()
    numbers = np.array(
        [group.AddColor(library.Color(red, green, blue, 255)) for red, green, blue in shades], np.uint32
    )
    corners = numbers[kind_of.reshape(-1)][content.faces]
    rows = np.column_stack([np.full(len(corners), group.GetResourceID(), np.uint32), corners])
    mesh.SetAllTriangleProperties(_filled(library.TriangleProperties, rows, np.uint32))
    mesh.SetObjectLevelProperty(group.GetResourceID(), int(numbers[0]))


FORMAT = ExportFormat(
    title="3MF",
    suffix=".3mf",
    content="mesh",
    write=write,
    count=faces_by_lib3mf,
    bytes_each=20,
    help="For 3D printing in colour, in millimetres.",
    options=MESH_OPTIONS,
    up="z",
    package="lib3mf",
    extra="formats",
    print_size=True,
)
