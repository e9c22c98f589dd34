"""PLY meshes and points: polygons, strips, colours of vertices or faces, and textures that a comment
names.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.assets.export.ply_rows import Header, Rows, read_elements, read_header
from engine.assets.meshes.face_colours import Paint, Surface, Texture, of_corners, painted, plain
from engine.assets.meshes.mesh_shape import GRAY, RawMesh
from engine.assets.meshes.polygons import triangulated
from engine.assets.meshes.splats_to_mesh import bodies_of_points
from engine.assets.meshes.untrusted_files import MAX_FACES, Folder, texture_beside, too_many
from engine.errors import FileFormatError, InputError

_FACES, _STRIPS = ("face", "faces"), ("tristrips",)
_INDICES = ("vertex_indices", "vertex_index", "vertex_indexes")
_UV = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"), ("tx", "tz"))


def read_ply(data: bytes, beside: Folder) -> RawMesh:
    """A mesh or a cloud of points. Raises `FileFormatError` if it is damaged, `InputError` if it is too
    large.
    """
    header = ply_header(data)
    names = {element.name for element in header.elements}
    wanted = ["vertex", *(name for name in (*_FACES, *_STRIPS) if name in names)]
    try:
        rows = read_elements(data, header, wanted)
        vertex = rows["vertex"]
        vertices = np.stack([np.asarray(vertex.columns[axis], np.float64) for axis in "xyz"], 1)
        lengths, corners, face = _polygons(rows, len(vertices))
    except InputError:
        raise
    except (ValueError, KeyError, IndexError) as error:
        raise FileFormatError(
            f"It is damaged ({type(error).__name__}: {error}).", "Save it again."
        ) from error
    colours = _colours(vertex.columns)
    if not len(lengths):
        return bodies_of_points(vertices, np.tile(GRAY, (len(vertices), 1)) if colours is None else colours)
    faces, owner = triangulated(vertices, lengths, corners)
    paint, notes = _paint(header, vertex.columns, face, corners, faces, owner, colours, beside)
    mesh = painted([Surface(vertices, corners[faces], paint)], notes=notes)
    if mesh is None:
        raise FileFormatError("It holds no triangles.", "Choose a model with a surface.")
    return mesh


def ply_header(data: bytes) -> Header:
    """The header; counts that cannot be are refused before anything is decoded. Errors as `read_ply`'s."""
    try:
        header = read_header(data)
    except ValueError as error:
        raise FileFormatError(
            f"It is damaged: its PLY header cannot be read ({error}).", "Save it again."
        ) from error
    most = max((element.count for element in header.elements), default=0)
    if most > MAX_FACES:
        raise too_many("The model", most, "faces or vertices")
    total = sum(element.count for element in header.elements)
    if total > len(data):
        raise FileFormatError(
            f"It announces {total:,} rows in {len(data):,} bytes.", "Copy or download it again."
        )
    return header


def _polygons(rows: Mapping[str, Rows], vertices: int) -> tuple[np.ndarray, np.ndarray, Rows]:
    """Lengths (P,) and corners (C,) of all polygons, and the rows of the faces, for their looks."""
    face = next((rows[name] for name in _FACES if name in rows), Rows({}))
    lengths, corners = _indices(face)
    for name in _STRIPS:
        if name in rows:
            strips = _strips(*_indices(rows[name]))
            lengths, corners = np.append(lengths, np.full(len(strips), 3)), np.append(corners, strips.ravel())
    if len(lengths) and int(np.maximum(lengths - 2, 0).sum()) > MAX_FACES:
        raise too_many("The model", int(np.maximum(lengths - 2, 0).sum()))
    return lengths.astype(np.int64), corners.astype(np.int64), face


def _indices(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    for name in _INDICES:
        if name in rows.lists:
            return rows.lists[name]
    return np.zeros(0, np.int64), np.zeros(0, np.int64)


def _strips(lengths: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Triangles (T,3) of strips one after the other; -1 begins a new one, and every other triangle is
    turned.
    """
    ends = np.cumsum(lengths)
    runs = np.split(corners.astype(np.int64), ends[:-1])
    strips = [np.zeros((0, 3), np.int64)]
    for run in runs:
        for piece in np.split(run, np.flatnonzero(run < 0)):
            strip = piece[piece >= 0]
            if len(strip) > 2:
                triangles = np.stack([strip[:-2], strip[1:-1], strip[2:]], 1)
                triangles[1::2] = triangles[1::2, ::-1]
                strips.append(triangles)
    return np.concatenate(strips)


def _colours(columns: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Display colours (N,3); whole numbers reach to 255 (or 65535), others to 1 unless they go beyond."""
    for names in (
        ("red", "green", "blue"),
        ("r", "g", "b"),
        ("diffuse_red", "diffuse_green", "diffuse_blue"),
    ):
        if all(name in columns for name in names):
            values = np.stack([np.asarray(columns[name]) for name in names], 1)
            top = (
                np.iinfo(values.dtype).max
                if values.dtype.kind == "u"
                else 255.0
                if values.max(initial=0) > 1
                else 1.0
            )
            return np.nan_to_num(values.astype(np.float64)) / top
    return None


def _paint(header: Header, vertex: Mapping[str, np.ndarray], face: Rows, corners: np.ndarray,
    faces: np.ndarray,
           owner: np.ndarray, colours: np.ndarray | None, beside: Folder) -> tuple[Paint,
               tuple[str, ...]]:  # fmt: skip
    """The look of triangles (F,3), numbers of ``corners``: texture, faces' or vertices' colours, or gray."""
    uv, notes = _places(vertex, face, corners), ()
    name = next(
        (
            comment.partition(" ")[2].strip()
            for comment in header.comments
            if comment.lower().startswith("texturefile")
        ),
        "",
    )
    if uv is not None and name:
        picture, notes = texture_beside(name, beside)
        if picture is not None:
            texture = Texture(picture)
            return lambda rows, shares: texture.at(of_corners(uv, faces, rows, shares) * [1, -1] + [0, 1]), ()
    of_faces = _colours(face.columns)
    if of_faces is not None and owner.max(initial=0) < len(of_faces):
        opaque = np.concatenate([of_faces, np.ones((len(of_faces), 1))], 1)
        return lambda rows, shares: opaque[owner[rows]], notes
    if colours is None:
        return plain(GRAY), notes
    opaque = np.concatenate([colours, np.ones((len(colours), 1))], 1)
    return lambda rows, shares: of_corners(opaque, corners[faces], rows, shares), notes


def _places(vertex: Mapping[str, np.ndarray], face: Rows, corners: np.ndarray) -> np.ndarray | None:
    """Where each corner lies in the texture (C,2): told by the faces, or by the vertices."""
    if "texcoord" in face.lists and face.lists["texcoord"][1].size == 2 * len(corners):
        return face.lists["texcoord"][1].reshape(-1, 2).astype(np.float64)
    for names in _UV:
        if all(name in vertex for name in names):
            places = np.stack([np.asarray(vertex[name], np.float64) for name in names], 1)
            return places[np.clip(corners, 0, len(places) - 1)]
    return None
