"""glTF 2.0 and GLB (Khronos Group): every mesh of the scene, merged, with its transforms, in the pose that it
rests in.

Read here and not by a library, because everything that a file says (counts, offsets, addresses) is checked
before it is used.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.assets.meshes.face_colours import Surface, painted
from engine.assets.meshes.gltf_buffers import Buffers
from engine.assets.meshes.gltf_document import facts_of, parsed, unknown_extensions
from engine.assets.meshes.gltf_materials import Materials
from engine.assets.meshes.gltf_nodes import (
    FAN,
    POINTS,
    STRIP,
    TRIANGLES,
    copies,
    copies_announced,
    morphed,
    moved,
    placed_nodes,
    posed,
    triangles,
)
from engine.assets.meshes.mesh_shape import RawMesh
from engine.assets.meshes.splats_to_mesh import bodies_of_points
from engine.assets.meshes.untrusted_files import MAX_FACES, Folder, too_many
from engine.errors import FileFormatError, InputError


def read_gltf(data: bytes, beside: Folder) -> RawMesh:
    """The scene in a GLB or glTF. Raises `FileFormatError` if it is damaged or not supported, `InputError` if
    too large.
    """
    document, binary = parsed(data)
    unknown = unknown_extensions(document)
    try:
        mesh = _Scene(Buffers(document, binary, beside)).mesh()
    except InputError as error:
        if unknown and isinstance(error, FileFormatError):
            raise FileFormatError(
                f"It needs {', '.join(unknown)}, which is not known here. {error.what}", error.remedy
            ) from error
        raise
    except (
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        struct.error,
    ) as error:
        needs = f" It needs {', '.join(unknown)}, which is not known here." if unknown else ""
        what = f"It is not a sound glTF file ({type(error).__name__}: {error}).{needs}"
        raise FileFormatError(what, "Save it again.") from error
    return mesh.noted(
        *(f"It asks for {name}, which is not known here; it may look different." for name in unknown)
    )


@dataclass(eq=False)
class _Scene:
    """One document while it is read."""

    buffers: Buffers
    notes: dict[str, None] = field(default_factory=dict)  # in order, each once
    # places (N,3) and display colours (N,3)
    points: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.document = self.buffers.document
        self.materials = Materials(self.buffers, self.notes)

    def mesh(self) -> RawMesh:
        """Every mesh under the roots of the scene that is shown."""
        placed, hidden = placed_nodes(self.document)
        shown = [index for index in placed if index not in hidden]
        if hidden:
            self.notes["Its hidden parts were left out."] = None
        self._check_size(shown)
        surfaces = [surface for index in shown for surface in self._surfaces(index, placed)]
        if self.document.get("animations"):
            self.notes["It is animated; the pose that it rests in is used."] = None
        facts = facts_of(self.document["asset"])
        if surfaces:
            if self.points:
                self.notes["Its points and lines were left out."] = None
            mesh = painted(surfaces, up="y", sure=True, facts=facts)
            if mesh is None:
                raise FileFormatError(
                    "All of its surfaces are invisible.", "Choose a model with a surface that can be seen."
                )
            return mesh.noted(
                *self.notes, f"Its {len(surfaces)} parts are used as one." if len(surfaces) > 1 else ""
            )
        if self.points:
            places, colours = (np.concatenate(parts) for parts in zip(*self.points, strict=True))
            cloud = bodies_of_points(places, colours).noted(*self.notes)
            return RawMesh(
                cloud.vertices, cloud.faces, cloud.face_colours, "y", True, False, True, cloud.notes, facts
            )
        raise FileFormatError("It holds no triangles.", "Choose a model with a surface.")

    def _check_size(self, shown: list[int]) -> None:
        """Refuse by what is announced, before anything is decoded; a mesh counts as often as it is used."""
        total = points = 0
        accessors = self.document.get("accessors", [])
        for index in shown:
            for primitive in self._primitives(index):
                counted = primitive.get("indices", primitive["attributes"]["POSITION"])
                times, corners = (
                    copies_announced(self.document, self.document["nodes"][index]),
                    int(accessors[counted]["count"]),
                )
                total += times * (corners // 3 if primitive.get("mode", TRIANGLES) == TRIANGLES else corners)
                points += times * int(accessors[primitive["attributes"]["POSITION"]]["count"])
        if total > MAX_FACES or points > 3 * MAX_FACES:
            raise too_many("The model", max(total, points // 3))

    def _primitives(self, index: int) -> list[dict[str, Any]]:
        mesh = self.document["nodes"][index].get("mesh")
        return [] if mesh is None else self.document["meshes"][mesh]["primitives"]

    def _surfaces(self, index: int, placed: Mapping[int, np.ndarray]) -> list[Surface]:
        node = self.document["nodes"][index]
        surfaces, primitives = [], self._primitives(index)
        at = [placed[index] @ copy for copy in copies(node, self.buffers)] if primitives else []
        weights = (
            node.get("weights", self.document["meshes"][node["mesh"]].get("weights", []))
            if primitives
            else []
        )
        for primitive in primitives:
            mode = primitive.get("mode", TRIANGLES)
            if mode not in (TRIANGLES, STRIP, FAN):
                self._keep_points(primitive, at) if mode == POINTS else self.notes.setdefault(
                    "Its points and lines were left out."
                )
                continue
            surfaces += self._copied(node, primitive, weights, at, placed)
        return surfaces

    def _copied(
        self, node: Mapping[str, Any], primitive: Mapping[str, Any], weights: list, at: list[np.ndarray],
        placed: Mapping[int, np.ndarray],
    ) -> list[Surface]:  # fmt: skip
        """A primitive's triangles at each of the places where its node shows it."""
        packed = self.buffers.attributes(primitive)
        vertices, faces = self._geometry(primitive, packed)
        if len(faces) and faces.max() >= len(vertices):
            raise ValueError(f"a face has the corner {faces.max()}, and there are {len(vertices)}")
        vertices = morphed(vertices, primitive, weights, self.buffers)
        paint, cut = self.materials.look(primitive, faces, packed)
        if "skin" in node and "JOINTS_0" in primitive["attributes"]:
            self.notes["It has a skeleton; the pose that it rests in is used."] = None
            skin = self.document["skins"][node["skin"]]
            return [
                Surface(posed(vertices, skin, primitive, placed, self.buffers, packed), faces, paint, cut)
            ]
        return [Surface(moved(vertices, matrix), faces, paint, cut) for matrix in at]

    def _geometry(
        self, primitive: Mapping[str, Any], packed: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        if packed:
            return packed["POSITION"].astype(np.float64), packed["indices"].reshape(-1, 3)
        vertices = self.buffers.array(primitive["attributes"]["POSITION"]).astype(np.float64)
        corners = (
            self.buffers.array(primitive["indices"])[:, 0]
            if "indices" in primitive
            else np.arange(len(vertices))
        )
        return vertices, triangles(corners.astype(np.int64), primitive.get("mode", TRIANGLES))

    def _keep_points(self, primitive: Mapping[str, Any], at: list[np.ndarray]) -> None:
        vertices = self.buffers.array(primitive["attributes"]["POSITION"]).astype(np.float64)
        alone = np.tile(np.arange(len(vertices))[:, None], (1, 3))
        paint, _ = self.materials.look(primitive, alone, {})
        colours = paint(np.arange(len(vertices)), np.tile([1.0, 0, 0], (len(vertices), 1)))[:, :3]
        self.points += [(moved(vertices, matrix), colours) for matrix in at]
