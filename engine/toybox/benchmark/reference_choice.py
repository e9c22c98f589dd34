"""Which reference an object gets: none, any of the shelf, one of those that are found for it, or itself.

The object is never on the shelf: its seed is held out, and the shelf has seeds of its own.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import trimesh

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.errors import InputError
from engine.retrieval.embed_views import shape_of
from engine.retrieval.embedder import Embedder
from engine.retrieval.items import Item, Match
from engine.retrieval.search import Sought, drawn, find_by_pictures, find_by_words
from engine.retrieval.shelf import Shelf, toybox_shelf
from engine.toybox import retrieval
from engine.toybox.benchmark.tasks import ImageTask
from engine.toybox.captions import plain_caption
from engine.toybox.pictures import render_object

NONE, RANDOM, TRUTH, CEILING = "none", "random", "truth", "ceiling"
TOP = {"top-1": 1, "top-3": 3, "top-5": 5}
KINDS = (NONE, RANDOM, "top-5", "top-3", "top-1", TRUTH)
"""In the order of the table."""

TEMPERATURE = 0.1
"""Of the softmax over similarities by which one of the best is drawn (Phidias, arXiv 2409.11406, 3.4)."""

WORDS, PICTURE = "words", "picture"
ITSELF = "itself"


def reference_for(kind: str, task: ImageTask, seed: int, by: str) -> str:
    """The id of the reference: a thing's on the shelf, `ITSELF`, or nothing. Raises InputError for another
    ``kind``.
    """
    if kind in (NONE, CEILING):
        return ""
    if kind == TRUTH:
        return ITSELF
    rng = np.random.default_rng([task.seed, seed])
    if kind == RANDOM:
        items = shelf()[0].items
        return items[int(rng.integers(len(items)))].id
    if kind not in TOP:
        raise InputError(f"There is no reference {kind!r} to compare.", f"Choose among {', '.join(KINDS)}.")
    return drawn(best_matches(task, by)[: TOP[kind]], TEMPERATURE, rng).item.id


@lru_cache(maxsize=64)
def best_matches(task: ImageTask, by: str) -> list[Match]:
    """The best of the shelf for what is given of an object, its picture or its caption."""
    things, embedder = shelf()
    most = max(TOP.values())
    if by == WORDS:
        return find_by_words(things, embedder, plain_caption(task.object), most)
    return find_by_pictures(
        things, embedder, [Sought(given_picture(task), (task.azimuth_deg, task.elevation_deg))], most
    )


def given_picture(task: ImageTask, size: int = 64) -> np.ndarray:
    """The picture of the object that is given, (size,size,4) premultiplied."""
    return render_object(task.object, [task.azimuth_deg], [task.elevation_deg], size).rgba[0]


def shape_for(reference: str, task: ImageTask) -> ReferenceShape:
    """The shape with an id that `reference_for` gave."""
    if reference == ITSELF:
        mesh = task.object.mesh
        return ReferenceShape(mesh.vertices, mesh.faces, mesh.face_colours, task.object.kind)
    return shape_of(items_by_id()[reference])


def write_stl(shape: ReferenceShape, path: Path) -> None:
    """The shape as a file for the product: STL, whose convention is +z up and the front at -y."""
    x, y, z = np.asarray(shape.vertices, np.float64).T
    trimesh.Trimesh(np.stack([y, -x, z], 1), shape.faces, process=False).export(path)


@lru_cache(maxsize=1)
def shelf() -> tuple[Shelf, Embedder]:
    """The shipped shelf, opened once in each process; its embeddings are shipped, so that nothing is kept
    anywhere.
    """
    embedder = retrieval.load()
    return toybox_shelf(embedder, Path(gettempdir())), embedder


def items_by_id() -> dict[str, Item]:
    """The shelf's things by id."""
    return {item.id: item for item in shelf()[0].items}
