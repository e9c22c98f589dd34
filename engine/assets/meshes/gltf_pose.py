"""A glTF mesh as it rests: morph targets by their default weights, skeletons of any number of influences, strips and fans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.assets.meshes.gltf_buffers import Buffers

POINTS, TRIANGLES, STRIP, FAN = 0, 4, 5, 6
SLICE = 100_000
MOST_SETS = 8
"""Sets of four influences a vertex."""


def morphed(vertices: np.ndarray, primitive: Mapping[str, Any], weights: list[float], buffers: Buffers) -> np.ndarray:
    """Vertices (N,3) with each morph target's offsets, by its weight. Raises ValueError for a target of another length."""
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
        joints = joints @ buffers.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)[: len(joints)]
    weights, numbers = _influences(primitive["attributes"], buffers, packed)
    if not len(weights) == len(numbers) == len(vertices):
        raise ValueError(f"{len(vertices)} vertices hang on {len(numbers)} joints with {len(weights)} weights")
    slices = (slice(at, at + SLICE) for at in range(0, len(vertices), SLICE))  # a matrix each: not of all at once
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
        return np.concatenate([packed[n] if n in packed else buffers.array(attributes[n], normalise) for n in names], axis=1)

    return every("WEIGHTS", True), every("JOINTS", False)


def _hung(vertices: np.ndarray, joints: np.ndarray, numbers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Vertices (N,3), each moved by the joints' matrices (J,4,4) that it hangs on (N,K) by its weights (N,K)."""
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
