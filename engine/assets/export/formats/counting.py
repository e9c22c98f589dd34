"""How many faces, splats or pictures a reader finds in a file that was just written: other libraries'
wherever there are.
"""

from __future__ import annotations

import base64
import importlib
import locale
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from PIL import Image

from engine.assets.export.splat_files import read_splats


@contextmanager
def locale_kept() -> Iterator[None]:
    """Whatever changes the locale inside, it is as before at the end.

    lib3mf sets it to "C" for all threads while it reads and writes, and leaves it so: afterwards Python would
    read text files as ASCII wherever no encoding is named.
    """
    before = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


def faces_by_trimesh(path: Path) -> int:
    """Of a mesh that trimesh reads."""
    import trimesh

    return sum(len(mesh.faces) for mesh in trimesh.load_scene(path, process=False).geometry.values())


def points_by_trimesh(path: Path) -> int:
    """Of a cloud that trimesh reads."""
    import trimesh

    return sum(len(cloud.vertices) for cloud in trimesh.load_scene(path, process=False).geometry.values())


def faces_in_archive(path: Path) -> int:
    """Of the OBJ in a ZIP; every entry is compared with its checksum."""
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None:
            return 0
        (name,) = (name for name in archive.namelist() if name.endswith(".obj"))
        return archive.read(name).count(b"\nf ")


def faces_by_lib3mf(path: Path) -> int:
    """Of all objects of a 3MF."""
    import lib3mf

    model: Any = lib3mf.get_wrapper().CreateModel()
    with locale_kept():
        model.QueryReader("3mf").ReadFromFile(str(path))
    objects, faces = model.GetMeshObjects(), 0
    while objects.MoveNext():
        faces += objects.GetCurrentMeshObject().GetTriangleCount()
    return faces


def usd_modules(*names: str) -> list[Any]:
    """Modules of usd-core, of whose contents its types say nothing."""
    return [importlib.import_module(f"pxr.{name}") for name in names]


def faces_by_usd(path: Path) -> int:
    """Of all meshes of a USDZ."""
    Usd, UsdGeom = usd_modules("Usd", "UsdGeom")
    stage = Usd.Stage.Open(str(path))  # held on to: its prims end with it
    meshes = (UsdGeom.Mesh(prim) for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh))
    return sum(len(mesh.GetFaceVertexCountsAttr().Get()) for mesh in meshes)


def splats_of_file(path: Path) -> int:
    """Of a splat file of any kind."""
    return len(read_splats(path).means)


def splats_of_page(path: Path) -> int:
    """Of the viewer's page."""
    match = re.search(r'atob\("([^"]*)"\)', path.read_text(encoding="utf-8"))
    return len(base64.b64decode(match.group(1))) // 32 if match else 0


def pictures_of_film(path: Path) -> int:
    """Of a film that ffmpeg reads."""
    return imageio_ffmpeg.count_frames_and_secs(str(path))[0] or 0


def pictures_of_animation(path: Path) -> int:
    """Of an animated picture that Pillow reads."""
    with Image.open(path) as film:
        return getattr(film, "n_frames", 1)
