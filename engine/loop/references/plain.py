"""OBJ, STL and PLY meshes, read by trimesh after what they announce was checked."""

from __future__ import annotations

import struct
import warnings
from io import BytesIO

import numpy as np
import trimesh
from trimesh.resolvers import Resolver
from trimesh.visual import ColorVisuals, TextureVisuals

from engine.errors import FileFormatError, InputError
from engine.loop.references.files import MAX_FACES, MAX_TEXT_BYTES, MEGABYTE, Folder, picture, reduced, sampled, too_many
from engine.loop.references.shape import GRAY, RawMesh

_UP = {"obj": "y", "stl": "z", "ply": ""}
"""What each format's usual programs call up."""


def read_plain(data: bytes, kind: str, beside: Folder) -> RawMesh:
    """A mesh of ``kind`` "obj", "stl" or "ply". Raises `FileFormatError` if it is damaged, `InputError` if it is too large."""
    _check_announced(data, kind)
    if kind == "stl" and stl_faces(data):
        return _binary_stl(data)
    resolver = BesideResolver(beside)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            scene = trimesh.load_scene(BytesIO(data), file_type=kind, resolver=resolver, process=False)
        parts = [part for part in scene.geometry.values() if isinstance(part, trimesh.Trimesh) and len(part.faces)]
        if not parts:
            raise FileFormatError("It holds no triangles.", "Choose a model with a surface.")
        return _merged(parts, resolver).noted(*resolver.refused)
    except InputError:
        raise
    except Exception as error:  # trimesh raises whatever the damage leads to
        raise FileFormatError(
            f"It is damaged, or not {kind.upper()} ({type(error).__name__}: {error}).", "Save it again."
        ) from error


def _check_announced(data: bytes, kind: str) -> None:
    """Refuse what is too large by its own words, before it is decoded."""
    if kind == "obj":
        faces = data.count(b"\nf ")
    elif kind == "stl":
        faces = stl_faces(data) or data.count(b"endfacet")
    else:
        faces = max(ply_counts(data).values(), default=0)
    if faces > MAX_FACES:
        raise too_many("The model", faces)
    if len(data) > MAX_TEXT_BYTES and (kind == "obj" or b"format ascii" in data[:200] or data[:5] == b"solid"):
        raise InputError(
            f"The model has {len(data) / MEGABYTE:,.0f} MB of text; at most {MAX_TEXT_BYTES // MEGABYTE} MB are allowed.",
            "Save it in a binary form (GLB), or reduce it.",
        )


def stl_faces(data: bytes) -> int:
    """How many faces a binary STL announces and holds; 0 if it is none."""
    count = struct.unpack_from("<I", data, 80)[0] if len(data) >= 84 else 0
    return count if len(data) >= 84 + 50 * count else 0


def ply_counts(data: bytes) -> dict[str, int]:
    """Elements that a PLY's header announces. Raises `FileFormatError` for a count that is none, or cannot be in so few bytes."""
    head = data[: 1 << 16].split(b"end_header")[0].decode("ascii", "replace")
    words = [line.split() for line in head.splitlines() if line.startswith("element")]
    try:
        counts = {line[1]: int(line[2]) for line in words}
    except (IndexError, ValueError) as error:
        raise FileFormatError(f"Its PLY header cannot be read ({error}).", "Save it again.") from error
    if any(not 0 <= count <= MAX_FACES for count in counts.values()):
        raise too_many("The model", max(counts.values()), "faces or vertices")
    if sum(counts.values()) > len(data):
        raise FileFormatError(f"It announces {sum(counts.values()):,} rows in {len(data):,} bytes.", "Copy or download it again.")
    return counts


def _binary_stl(data: bytes) -> RawMesh:
    """Every face with corners of its own, as the format has them."""
    rows = np.frombuffer(data, np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("mark", "<u2")]), stl_faces(data), 84)
    corners = rows["corners"].reshape(-1, 3).astype(np.float64)
    return RawMesh(corners, np.arange(len(corners)).reshape(-1, 3), np.tile(GRAY, (len(rows), 1)))


class BesideResolver(Resolver):
    """Lets trimesh open materials and small pictures beside the model, and nothing else; ``refused`` says what it did not get."""

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
                self.refused.append(f"{str(key)[:60]!r} was not used: it is not there, not beside the model, or no picture.")
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


def _merged(parts: list[trimesh.Trimesh], resolver: BesideResolver) -> RawMesh:
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return RawMesh(
        np.concatenate([np.asarray(part.vertices, np.float64) for part in parts]),
        np.concatenate([np.asarray(part.faces, np.int64) + start for part, start in zip(parts, starts)]),
        np.concatenate([_colours(part) for part in parts]),
        notes=(f"Its {len(parts)} parts are used as one.",) if len(parts) > 1 else (),
    )


def _colours(part: trimesh.Trimesh) -> np.ndarray:
    """Display colour (F,3) of each face: texture, material, vertex or face colours, or gray."""
    look = part.visual
    if isinstance(look, TextureVisuals) and look.material is not None:
        image = getattr(look.material, "image", None)
        texture = None if image is None else reduced(image)
        if texture is not None and look.uv is not None and len(look.uv) == len(part.vertices):
            return sampled(texture, np.asarray(look.uv)[part.faces].mean(1) * [1, -1] + [0, 1])  # from the bottom left
        return np.tile(np.asarray(look.material.main_color[:3], np.float64) / 255, (len(part.faces), 1))
    if isinstance(look, ColorVisuals) and look.defined:
        return np.asarray(look.face_colors, np.float64)[:, :3] / 255
    return np.tile(GRAY, (len(part.faces), 1))


def with_convention(mesh: RawMesh, kind: str) -> RawMesh:
    """The mesh with what its format says about up."""
    return RawMesh(mesh.vertices, mesh.faces, mesh.face_colours, up=_UP[kind], notes=mesh.notes, facts=mesh.facts)
