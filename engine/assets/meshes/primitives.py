"""Triangles of blocks: boxes, spheres, cylinders and cones, placed, turned and coloured."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.assets.export.glb import write_glb
from engine.assets.meshes.blocks import Block
from engine.assets.meshes.mesh_shape import Facts, RawMesh
from engine.errors import InputError, storage_errors

SIDES = 32
"""Of what is round; a sphere has half as many rings."""


def mesh_of(blocks: Sequence[Block]) -> RawMesh:
    """All blocks as one mesh, each closed and facing outwards. Raises InputError if there is none."""
    if not blocks:
        raise InputError("There are no blocks.", "Add a box, a sphere, a cylinder or a cone.")
    parts = [solid(block) for block in blocks]
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in parts)])
    return RawMesh(
        np.concatenate([vertices for vertices, _ in parts]),
        np.concatenate([faces + start for (_, faces), start in zip(parts, starts)]),
        np.concatenate(
            [np.tile(rgb(block.colour), (len(faces), 1)) for block, (_, faces) in zip(blocks, parts)]
        ),
        up="z",
        sure=True,
        front_is_x=True,
        facts=Facts(title=f"A build of {len(blocks)} block{'s' * (len(blocks) > 1)}", licence="your own"),
    )


def solid(block: Block) -> tuple[np.ndarray, np.ndarray]:
    """One block: vertices (N,3) where they stand, and faces (F,3)."""
    unit = {"box": _box, "sphere": _sphere, "cylinder": lambda: _prism(1.0), "cone": lambda: _prism(0.0)}[
        block.kind
    ]
    vertices, faces = unit()
    return (vertices * block.size) @ rotation(block.rotation_deg).T + block.centre, faces


def rotation(degrees: Sequence[float]) -> np.ndarray:
    """The matrix (3,3) of turns about the fixed x, then y, then z."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def rgb(colour: str) -> np.ndarray:
    """``#rrggbb`` as display colour (3,) in 0..1."""
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255


def write_blocks_glb(path: Path, blocks: Sequence[Block]) -> None:
    """The blocks as a GLB for other programs; the file appears whole or not at all. Raises StorageError."""
    mesh = mesh_of(blocks)
    colours = np.zeros_like(mesh.vertices)
    colours[mesh.faces.ravel()] = np.repeat(mesh.face_colours, 3, axis=0)  # no two blocks share a vertex
    with storage_errors(path), tempfile.TemporaryDirectory(dir=path.parent) as beside:
        whole = Path(beside) / path.name
        write_glb(whole, mesh.vertices, mesh.faces, colours)
        whole.replace(path)


def _box() -> tuple[np.ndarray, np.ndarray]:
    vertices = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    squares = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    return vertices, np.concatenate([squares[:, [0, 1, 2]], squares[:, [0, 2, 3]]])


def _sphere() -> tuple[np.ndarray, np.ndarray]:
    heights = np.pi * np.arange(1, SIDES // 2) / (SIDES // 2)
    rings = [_ring(0.5 * np.sin(height), 0.5 * np.cos(height)) for height in heights]
    vertices = np.concatenate([*rings, [[0, 0, 0.5], [0, 0, -0.5]]])
    last = (len(rings) - 1) * SIDES
    faces = [_cap(0, len(vertices) - 2, up=True), _cap(last, len(vertices) - 1, up=False)]
    faces += [_band(k * SIDES, (k + 1) * SIDES) for k in range(len(rings) - 1)]
    return vertices, np.concatenate(faces)


def _prism(top: float) -> tuple[np.ndarray, np.ndarray]:
    """A cylinder, or with ``top`` 0 a cone."""
    base = _ring(0.5, -0.5)
    if not top:
        vertices = np.concatenate([base, [[0, 0, 0.5], [0, 0, -0.5]]])
        return vertices, np.concatenate([_cap(0, SIDES, up=True), _cap(0, SIDES + 1, up=False)])
    vertices = np.concatenate([_ring(0.5 * top, 0.5), base, [[0, 0, 0.5], [0, 0, -0.5]]])
    caps = [_cap(0, 2 * SIDES, up=True), _cap(SIDES, 2 * SIDES + 1, up=False)]
    return vertices, np.concatenate([*caps, _band(0, SIDES)])


def _ring(radius: float, z: float) -> np.ndarray:
    angles = 2 * np.pi * np.arange(SIDES) / SIDES
    return np.stack([radius * np.cos(angles), radius * np.sin(angles), np.full(SIDES, z)], 1)


def _band(upper: int, lower: int) -> np.ndarray:
    """Faces between two rings that begin at these vertices."""
    here, next_one = np.arange(SIDES), (np.arange(SIDES) + 1) % SIDES
    first = np.stack([upper + here, lower + here, lower + next_one], 1)
    return np.concatenate([first, np.stack([upper + here, lower + next_one, upper + next_one], 1)])


def _cap(ring: int, tip: int, *, up: bool) -> np.ndarray:
    """Faces from a ring to a vertex above or below it."""
    here, next_one = ring + np.arange(SIDES), ring + (np.arange(SIDES) + 1) % SIDES
    tips = np.full(SIDES, tip)
    return np.stack([here, next_one, tips] if up else [next_one, here, tips], 1)
