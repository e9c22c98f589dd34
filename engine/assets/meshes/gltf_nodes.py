"""Where a glTF's meshes stand: the tree of nodes, what is hidden, and copies of a mesh
(EXT_mesh_gpu_instancing).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.assets.meshes.gltf_buffers import Buffers
from engine.assets.meshes.gltf_document import INSTANCING, VISIBILITY, extension

POINTS, TRIANGLES, STRIP, FAN = 0, 4, 5, 6
SLICE = 100_000
MOST_SETS = 8
"""Sets of four influences a vertex."""

MAX_NODES = 100_000


def morphed(
    vertices: np.ndarray, primitive: Mapping[str, Any], weights: list[float], buffers: Buffers
) -> np.ndarray:
    """Vertices (N,3) with each morph target's offsets, by its weight. Raises ValueError for a target of
    another length.
    """
    for target, weight in zip(primitive.get("targets", []), weights):
        if weight and "POSITION" in target:
            offsets = buffers.array(target["POSITION"])
            if len(offsets) != len(vertices):
                raise ValueError(f"a morph target has {len(offsets)} vertices of {len(vertices)}")
            vertices = vertices + float(weight) * offsets
    return vertices


def posed(
    vertices: np.ndarray,
    skin: Mapping[str, Any],
    primitive: Mapping[str, Any],
    placed: Mapping[int, np.ndarray],
    buffers: Buffers,
    packed: Mapping[str, np.ndarray],
) -> np.ndarray:
    """The vertices (N,3) of a mesh with a skeleton where its joints hold them, as it rests."""
    joints = np.stack([placed.get(joint, np.eye(4)) for joint in skin["joints"]])
    if "inverseBindMatrices" in skin:
        joints = (
            joints
            @ buffers.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)[: len(joints)]
        )
    weights, numbers = _influences(primitive["attributes"], buffers, packed)
    if not len(weights) == len(numbers) == len(vertices):
        raise ValueError(
            f"{len(vertices)} vertices hang on {len(numbers)} joints with {len(weights)} weights"
        )
    # a matrix each: not of all at once
    slices = (slice(at, at + SLICE) for at in range(0, len(vertices), SLICE))
    return np.concatenate([_hung(vertices[part], joints, numbers[part], weights[part]) for part in slices])


def _influences(
    attributes: Mapping[str, Any], buffers: Buffers, packed: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and numbers of joints (N,4 for each set)."""
    sets = [k for k in range(MOST_SETS) if f"JOINTS_{k}" in attributes and f"WEIGHTS_{k}" in attributes]
    if not sets:
        raise ValueError("it has joints without weights")

    def every(name: str, normalise: bool) -> np.ndarray:
        names = [f"{name}_{k}" for k in sets]
        return np.concatenate(
            [packed[n] if n in packed else buffers.array(attributes[n], normalise) for n in names], axis=1
        )

    return every("WEIGHTS", True), every("JOINTS", False)


def _hung(vertices: np.ndarray, joints: np.ndarray, numbers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Vertices (N,3), each moved by the joints' matrices (J,4,4) that it hangs on (N,K) by its weights
    (N,K).
    """
    shares = weights / np.maximum(weights.sum(1, keepdims=True, dtype=np.float64), 1e-9)
    matrices = np.einsum("nk,nkij->nij", shares, joints[numbers.astype(np.int64)])
    return np.einsum("nij,nj->ni", matrices[:, :3, :3], vertices) + matrices[:, :3, 3]


def moved(vertices: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Vertices (N,3) by a matrix (4,4)."""
    return vertices @ matrix[:3, :3].T + matrix[:3, 3]


def triangles(corners: np.ndarray, mode: int) -> np.ndarray:
    """Faces (F,3) of a list, a strip (every other one turned) or a fan."""
    if mode == TRIANGLES:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3)
    if mode == FAN:
        return np.stack([np.full(max(0, len(corners) - 2), corners[0]), corners[1:-1], corners[2:]], 1)
    faces = np.stack([corners[:-2], corners[1:-1], corners[2:]], 1)
    faces[1::2] = faces[1::2, ::-1]
    return faces


def placed_nodes(document: Mapping[str, Any]) -> tuple[dict[int, np.ndarray], set[int]]:
    """World matrix (4,4) of every node of the scene, and which are hidden.

    Raises ValueError for a node with two parents, which the format forbids.
    """
    nodes, scenes = document.get("nodes", []), document.get("scenes", [])
    children = {child for node in nodes for child in node.get("children", [])}
    roots = (
        scenes[document.get("scene", 0)].get("nodes", [])
        if scenes
        else sorted(set(range(len(nodes))) - children)
    )
    placed: dict[int, np.ndarray] = {}
    hidden: set[int] = set()
    waiting = [(index, np.eye(4), False) for index in roots]
    while waiting:
        index, parent, gone = waiting.pop()
        if index in placed or not 0 <= index < len(nodes) or len(placed) >= MAX_NODES:
            raise ValueError(f"node {index} stands at two places, or is not there")
        node = nodes[index]
        placed[index] = parent @ matrix_of(node)
        gone = gone or (extension(node, VISIBILITY) or {}).get("visible", True) is False
        if gone:
            hidden.add(index)
        waiting += [(child, placed[index], gone) for child in node.get("children", [])]
    return placed, hidden


def matrix_of(node: Mapping[str, Any]) -> np.ndarray:
    """A node's own matrix (4,4): given, or of translation, rotation (xyzw) and scale."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    return composed(
        np.array(node.get("translation", (0, 0, 0)), np.float64),
        np.array(node.get("rotation", (0, 0, 0, 1)), np.float64),
        np.array(node.get("scale", (1, 1, 1)), np.float64),
    )


def composed(translation: np.ndarray, rotation: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The matrix (4,4) of translation (3,), rotation (4,) xyzw and scale (3,)."""
    x, y, z, w = rotation
    turn = np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                     [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                     [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]])  # fmt: skip
    out = np.eye(4)
    out[:3, :3] = turn * scale
    out[:3, 3] = translation
    return out


def copies_announced(document: Mapping[str, Any], node: Mapping[str, Any]) -> int:
    """How often a node shows its mesh, as it says: nothing is decoded."""
    instancing = extension(node, INSTANCING)
    counts = [
        int(document["accessors"][index]["count"])
        for index in (instancing or {}).get("attributes", {}).values()
    ]
    return max(counts, default=1)


def copies(node: Mapping[str, Any], buffers: Buffers) -> list[np.ndarray]:
    """The matrices (4,4), within the node's own, at which it shows its mesh. Raises ValueError where they
    contradict.
    """
    instancing = extension(node, INSTANCING)
    if instancing is None:
        return [np.eye(4)]
    names = {"TRANSLATION": (0, 0, 0), "ROTATION": (0, 0, 0, 1), "SCALE": (1, 1, 1)}
    given = {
        name: buffers.array(instancing["attributes"][name])
        for name in names
        if name in instancing["attributes"]
    }
    counts = {len(rows) for rows in given.values()}
    if len(counts) > 1:
        raise ValueError(f"the copies of a mesh are {sorted(counts)} in number")
    count = counts.pop() if counts else 1
    parts = [
        given.get(name, np.tile(np.array(usual, np.float64), (count, 1))).astype(np.float64)
        for name, usual in names.items()
    ]
    return [composed(*rows) for rows in zip(*parts, strict=True)]
