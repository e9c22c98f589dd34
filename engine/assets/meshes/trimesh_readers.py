"""OFF, COLLADA and 3MF meshes, read by trimesh, whose readers of the latter two need packages that are
optional.
"""

from __future__ import annotations

import importlib.util
import re
import warnings
from dataclasses import replace
from io import BytesIO

import numpy as np
import trimesh
from trimesh.resolvers import Resolver
from trimesh.visual import ColorVisuals, TextureVisuals

from engine.assets.meshes.face_colours import Surface, Texture, of_corners, painted
from engine.assets.meshes.face_colours import plain as one_colour
from engine.assets.meshes.mesh_shape import GRAY, RawMesh
from engine.assets.meshes.untrusted_files import (
    MAX_FACES,
    MAX_TEXT_BYTES,
    MEGABYTE,
    Folder,
    picture,
    reduced,
    too_many,
)
from engine.errors import FileFormatError, InputError

NEEDED = {"off": (), "dae": ("collada",), "3mf": ("lxml", "networkx")}
"""Packages without which trimesh does not read a kind."""

_UP = {"off": "", "dae": "y", "3mf": "z"}


def read_plain(data: bytes, kind: str, beside: Folder) -> RawMesh:
    """A mesh of ``kind`` "off", "dae" or "3mf". Raises `FileFormatError` if it is damaged or a package is
    missing.
    """
    lacking = [name for name in NEEDED[kind] if importlib.util.find_spec(name) is None]
    if lacking:
        raise FileFormatError(
            f"It is a {kind.upper()} file, which needs a package that is not installed.",
            "Install it with pip install 'maquette[models]', or save the model as GLB (Blender: Export, "
            "glTF 2.0).",
        )
    if kind != "3mf" and len(data) > MAX_TEXT_BYTES:
        raise InputError(
            f"The model has {len(data) / MEGABYTE:,.0f} MB of text; at most {MAX_TEXT_BYTES // MEGABYTE} "
            "MB are allowed.",
            "Save it in a binary form (GLB), or reduce it.",
        )
    resolver = BesideResolver(beside)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            scene = trimesh.load_scene(BytesIO(data), file_type=kind, resolver=resolver, process=False)
        mesh = painted(
            [_surface(part, matrix) for part, matrix in _parts(scene)], notes=tuple(resolver.refused)
        )
    except InputError:
        raise
    except Exception as error:  # trimesh raises whatever the damage leads to
        what = f"It is damaged, or not {kind.upper()} ({type(error).__name__}: {error})."
        raise FileFormatError(what, "Save it again.") from error
    if mesh is None:
        raise FileFormatError("It holds no triangles.", "Choose a model with a surface.")
    return with_convention(mesh, kind, data)


def _parts(scene: trimesh.Scene) -> list[tuple[trimesh.Trimesh, np.ndarray]]:
    """Every mesh with the matrix (4,4) that places it."""
    parts = []
    for node in scene.graph.nodes_geometry:
        matrix, name = scene.graph[node]
        part = scene.geometry[name]
        if isinstance(part, trimesh.Trimesh) and len(part.faces):
            parts.append((part, np.asarray(matrix, np.float64)))
        if sum(len(mesh.faces) for mesh, _ in parts) > MAX_FACES:
            raise too_many("The model", sum(len(mesh.faces) for mesh, _ in parts))
    return parts


def _surface(part: trimesh.Trimesh, matrix: np.ndarray) -> Surface:
    vertices = np.asarray(part.vertices, np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    faces, look = np.asarray(part.faces, np.int64), part.visual
    if isinstance(look, TextureVisuals) and look.material is not None:
        image = getattr(look.material, "image", None) or getattr(look.material, "baseColorTexture", None)
        picture = None if image is None else reduced(image)
        if picture is not None and look.uv is not None and len(look.uv) == len(vertices):
            texture, places = Texture(picture), np.asarray(look.uv) * [1, -1] + [0, 1]  # from the bottom left
            return Surface(
                vertices, faces, lambda rows, shares: texture.at(of_corners(places, faces, rows, shares))
            )
        return Surface(
            vertices, faces, one_colour([float(channel) / 255 for channel in look.material.main_color[:3]])
        )
    if isinstance(look, ColorVisuals) and look.defined:
        colours = np.asarray(look.face_colors, np.float64) / 255
        return Surface(vertices, faces, lambda rows, shares: colours[rows])
    return Surface(vertices, faces, one_colour(GRAY))


def with_convention(mesh: RawMesh, kind: str, data: bytes = b"") -> RawMesh:
    """The mesh with what its format, or a COLLADA file itself, says about up."""
    up_axis = re.search(rb"<up_axis>\s*([XYZ])_UP", data[:65536]) if kind == "dae" else None
    return replace(mesh, up=up_axis[1].decode().lower() if up_axis else _UP[kind], sure=up_axis is not None)


class BesideResolver(Resolver):
    """Lets trimesh open materials and small pictures beside the model, and nothing else; ``refused`` says
    what it did not get.
    """

    def __init__(self, beside: Folder) -> None:
        self.beside, self.refused = beside, []

    def get(self, key: str) -> bytes:
        """The bytes of a file beside the model. Raises OSError for every other."""
        try:
            data = self.beside.read(str(key).strip())
            if not str(key).lower().endswith(".mtl") and picture(data) is None:
                raise FileFormatError("It is no picture that can be used.")
            return data
        except (InputError, OSError) as error:
            if len(self.refused) < 3:
                self.refused.append(
                    f"{str(key)[:60]!r} was not used: it is not there, not beside the model, or no picture."
                )
            raise OSError(str(error)) from error

    def write(self, name: str, data: bytes) -> None:
        """Nothing is ever written."""
        raise OSError(f"{name} is not to be written")

    def namespaced(self, namespace: str) -> BesideResolver:
        """The same one: names are looked up from the model's folder."""
        return self

    def keys(self) -> list[str]:
        """No names are told."""
        return []
