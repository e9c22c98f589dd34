"""A thing from a shelf as a file in a run's folder, so that the run does not need the shelf again."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from engine.assets.export.glb import write_glb
from engine.assets.meshes.mesh_shape import RawMesh
from engine.loop.reference.input_files import COPIES, kept_with, path_in
from engine.retrieval.items import Item


def kept_item(item: Item, folder: Path) -> Path:
    """The thing's file, or what it builds as GLB, in the run's ``folder``. Raises InputError or StorageError."""
    if item.path is not None:
        return folder / path_in(kept_with(str(item.path), folder))
    path = folder / COPIES / f"{re.sub(r'[^A-Za-z0-9]+', '-', item.id)}.glb"
    facts = {"title": item.caption, "license": item.licence, "source": f"{item.source}, {item.id}"}
    vertices, faces, colours = split_by_colour(item.build())
    write_glb(path, vertices, faces, colours, facts=facts, exact=True)
    return path


def split_by_colour(mesh: RawMesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (N,3), faces (F,3) and vertex colours (N,3) of a mesh with one colour a face.

    A vertex is doubled where colours meet, and nowhere else, so that closed parts stay closed.
    """
    colours, of_face = np.unique(mesh.face_colours, axis=0, return_inverse=True)
    corners = mesh.faces.reshape(-1).astype(np.int64) * len(colours) + np.repeat(of_face.reshape(-1), 3)
    pairs, numbers = np.unique(corners, return_inverse=True)
    return mesh.vertices[pairs // len(colours)], numbers.reshape(-1, 3), colours[pairs % len(colours)]
