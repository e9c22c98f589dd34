"""OBJ (Wavefront): polygons, colours of vertices, and materials, with any line ends, tabs and continued
lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from engine.assets.export.ply_rows import numbers_in
from engine.assets.meshes.face_colours import Paint, Surface, Texture, of_corners, painted, plain
from engine.assets.meshes.mesh_shape import GRAY, RawMesh
from engine.assets.meshes.mtl import Material, read_mtl
from engine.assets.meshes.polygons import triangulated
from engine.assets.meshes.splats_to_mesh import bodies_of_points
from engine.assets.meshes.untrusted_files import (
    MAX_FACES,
    MAX_TEXT_BYTES,
    MEGABYTE,
    Folder,
    texture_beside,
    too_many,
)
from engine.errors import FileFormatError, InputError

HIDDEN = 0.05
"""Alpha under which a surface is not seen."""

MOST_LIBRARIES = 32


@dataclass(eq=False)
class _Lines:
    """The lines of an OBJ by kind; of each polygon its text and its material."""

    vertices: list[bytes] = field(default_factory=list)
    places: list[bytes] = field(default_factory=list)
    faces: list[bytes] = field(default_factory=list)
    materials: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)  # the first face of each material in ``materials``


def read_obj(data: bytes, beside: Folder) -> RawMesh:
    """A mesh, or points where there are no faces. Raises `FileFormatError` if it is damaged, `InputError` if
    it is too large.
    """
    if len(data) > MAX_TEXT_BYTES:
        raise InputError(
            f"The model has {len(data) / MEGABYTE:,.0f} MB of text; at most {MAX_TEXT_BYTES // MEGABYTE} "
            "MB are allowed.",
            "Save it in a binary form (GLB), or reduce it.",
        )
    lines = _sorted(data)
    if len(lines.faces) > MAX_FACES:
        raise too_many("The model", len(lines.faces))
    try:
        vertices, colours = _vertices(lines.vertices)
        if not lines.faces and len(vertices):
            return bodies_of_points(
                vertices, np.tile(GRAY, (len(vertices), 1)) if colours is None else colours
            )
        lengths, corners, at = _corners(lines.faces, len(vertices), len(lines.places))
        uv = _table(lines.places, 2) if lines.places else None
    except InputError:
        raise
    except (ValueError, IndexError, OverflowError) as error:
        raise FileFormatError(
            f"It is damaged, or not OBJ ({type(error).__name__}: {error}).", "Save it again."
        ) from error
    if int(np.maximum(lengths - 2, 0).sum()) > MAX_FACES:
        raise too_many("The model", int(np.maximum(lengths - 2, 0).sum()))
    faces, owner = triangulated(vertices, lengths, corners)
    materials, notes = libraries_of(list(library_names(data, beside)), beside)
    groups = np.searchsorted(lines.starts, owner, "right") - 1
    surfaces: list[Surface] = []
    for number in np.unique(groups):
        rows = faces[groups == number]
        material = materials.get(lines.materials[number], Material()) if number >= 0 else Material()
        paint, more = _paint(material, corners, at, rows, uv, colours, beside)
        notes += tuple(note for note in more if note not in notes)
        surfaces.append(Surface(vertices, corners[rows], paint, HIDDEN))
    mesh = painted(_sharing(surfaces), notes=notes)
    if mesh is None:
        raise FileFormatError("It holds no triangles that can be seen.", "Choose a model with a surface.")
    return mesh


def _sharing(surfaces: list[Surface]) -> list[Surface]:
    """Surfaces with the vertices that they use alone, for each was given all of them."""
    if len(surfaces) < 2:
        return surfaces
    own = []
    for surface in surfaces:
        used, numbers = np.unique(np.clip(surface.faces, 0, len(surface.vertices) - 1), return_inverse=True)
        faces = np.where(
            (surface.faces >= 0) & (surface.faces < len(surface.vertices)), numbers.reshape(-1, 3), -1
        )
        own.append(Surface(surface.vertices[used], faces, surface.paint, surface.hidden))
    return own


def _sorted(data: bytes) -> _Lines:
    lines = _Lines()
    text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\\\n", b" ").replace(b"\t", b" ")
    for line in text.split(b"\n"):
        line = line.strip()
        if line.startswith(b"v "):
            lines.vertices.append(line[2:])
        elif line.startswith(b"f "):
            lines.faces.append(line[2:].partition(b"#")[0])
        elif line.startswith(b"vt "):
            lines.places.append(line[3:])
        elif line[:7].lower() == b"usemtl ":
            lines.materials.append(line[7:].strip().decode("utf-8", "replace"))
            lines.starts.append(len(lines.faces))
    return lines


def _table(lines: list[bytes], width: int) -> np.ndarray:
    """Numbers (N,width), the first of each line. Raises ValueError where there are fewer."""
    counts = {line.count(b" ") for line in lines}
    flat = numbers_in(b" ".join(lines)) if len(counts) == 1 else None
    if flat is not None and len(flat) % len(lines) == 0 and len(flat) // len(lines) >= width:
        return flat.reshape(len(lines), -1)[:, :width]
    return np.array(
        [[float(number) for number in line.split()[:width]] for line in lines], np.float64
    ).reshape(-1, width)


def _vertices(lines: list[bytes]) -> tuple[np.ndarray, np.ndarray | None]:
    """Places (N,3), and display colours (N,3) where every line has six numbers."""
    if not lines:
        return np.zeros((0, 3)), None
    if all(len(line.split()) >= 6 for line in lines[:100]):
        try:
            table = _table(lines, 6)
            return table[:, :3], table[:, 3:] / (255.0 if table[:, 3:].max() > 1 else 1.0)
        except ValueError:  # not all of them
            pass
    return _table(lines, 3), None


def _corners(lines: list[bytes], vertices: int, places: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lengths (P,) of the polygons, and for each corner (C,) its vertex and its place in the texture, -1 for
    none.
    """
    words = [line.split() for line in lines]
    lengths = np.array([len(row) for row in words], np.int64)
    flat = [word for row in words for word in row]
    text = b" ".join(flat)
    slashes, double = text.count(b"/"), text.count(b"//")
    if not slashes:
        table = numbers_in(text, np.int64)[:, None]
    elif slashes == 2 * len(flat) and double in (0, len(flat)):
        table = numbers_in(text.replace(b"//", b"/0/").replace(b"/", b" "), np.int64).reshape(-1, 3)
    elif slashes == len(flat) and not double:
        table = numbers_in(text.replace(b"/", b" "), np.int64).reshape(-1, 2)
    else:
        table = np.array(
            [[int(part or 0) for part in (word.split(b"/") + [b"0"])[:2]] for word in flat], np.int64
        )
    if len(table) != len(flat):
        raise ValueError("a corner is no number")
    at = table[:, 1] if table.shape[1] > 1 else np.zeros(len(table), np.int64)
    return lengths, _counted(table[:, 0], vertices), _counted(at, places)


def _counted(numbers: np.ndarray, count: int) -> np.ndarray:
    """From 1-based numbers, negative ones from the end, to 0-based; -1 for 0.

    Negative ones count from what was read so far in the file; nearly all programs that write them do so after
    all of it.
    """
    return np.where(numbers > 0, numbers - 1, np.where(numbers < 0, count + numbers, -1))


def library_names(data: bytes, beside: Folder) -> tuple[str, ...]:
    """The names in an OBJ's lines of libraries: one that may hold spaces, where there is such a file, or
    several.
    """
    libraries = re.findall(
        rb"^[ \t]*mtllib[ \t]+([^\r\n]+)", data.replace(b"\r", b"\n"), re.MULTILINE | re.IGNORECASE
    )
    lines = [line.decode("utf-8", "replace").strip() for line in dict.fromkeys(libraries[:MOST_LIBRARIES])]
    names = [name for line in lines for name in ([line] if beside.holds(line) else line.split())]
    return tuple(dict.fromkeys(names[:MOST_LIBRARIES]))


def libraries_of(names: list[str], beside: Folder) -> tuple[dict[str, Material], tuple[str, ...]]:
    """The materials of every library that is there, and notes on those that are not."""
    materials: dict[str, Material] = {}
    notes: list[str] = []
    for name in names:
        try:
            materials |= read_mtl(beside.read(name).decode("utf-8", "replace"))
        except (InputError, OSError):
            notes.append(f"{name[:60]!r} was not used: it is not there, or not beside the model.")
    return materials, tuple(notes[:3])


def _paint(
    material: Material,
    corners: np.ndarray,
    at: np.ndarray,
    faces: np.ndarray,
    uv: np.ndarray | None,
    colours: np.ndarray | None,
    beside: Folder,
) -> tuple[Paint, tuple[str, ...]]:
    """The look of triangles ``faces`` (F,3) of corners: texture, else the material's colour, else the
    vertices', else gray.
    """
    notes: tuple[str, ...] = ()
    if material.texture is not None and uv is not None and len(uv):
        texture_line = material.texture
        picture, notes = texture_beside(texture_line.name, beside)
        if picture is not None:
            texture = Texture(picture, texture_line.beyond, texture_line.beyond)
            places = (uv[np.clip(at, 0, len(uv) - 1)] * texture_line.scale + texture_line.offset) * [
                1,
                -1,
            ] + [
                0,
                1,
            ]  # from the bottom left
            return (
                lambda rows, shares: (
                    texture.at(of_corners(places, faces, rows, shares)) * [1, 1, 1, material.alpha]
                ),
                notes,
            )
    if material.colour is None and colours is not None:
        opaque = np.concatenate([colours, np.full((len(colours), 1), material.alpha)], 1)
        return lambda rows, shares: of_corners(opaque, corners[faces], rows, shares), notes
    return plain(material.colour or GRAY, material.alpha), notes
