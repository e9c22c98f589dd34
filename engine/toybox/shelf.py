"""The shelf of references that comes with the studio: procedural objects, many of each of the first kinds and
some of the others.

Only their seeds and captions are kept; shapes are built when they are wanted. The seeds are from 700,000 up,
which neither the prior (up to 59,999), nor the classifier (800,000 and up), nor any measurement (900,000 and
up) uses.

    python -m engine.toybox.shelf [--anew]      list the objects, and embed those that are new
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from engine.assets.export.files import atomic_path
from engine.assets.meshes.mesh_shape import RawMesh
from engine.errors import FileFormatError, MissingError
from engine.loop.devices import limit_threads
from engine.retrieval.embed_views import embedded, shape_of
from engine.retrieval.items import Item
from engine.shipped import presets_folder
from engine.toybox.captions import plain_caption
from engine.toybox.objects import FIRST_KINDS, KINDS, draw_object
from engine.toybox.objects.mesh import ToyMesh
from engine.toybox.retrieval import ToyboxEmbedder, load
from engine.toybox.retrieval import synonyms as synonyms

FIRST_SEED, SEEDS_PER_KIND = 700_000, 1000
FOLDER = presets_folder() / "shelf"
LIST, EMBEDDINGS = FOLDER / "toybox.json", FOLDER / "toybox.npz"
PER_FIRST_KIND, PER_KIND = 100, 12
"""Objects of each of the first kinds, and of each of the others."""

FEW = 2 * len(KINDS)
"""The first so many of the list, two of each kind, are enough for an embedder that has to look at all their
pictures first.
"""

SOURCE, LICENCE = "toybox, procedural", "Apache-2.0"
STEPS = 20
"""An embedding's numbers are kept as whole ones up to this."""


def items() -> tuple[Item, ...]:
    """Every object of the shelf. Raises `MissingError` without the list, `FileFormatError` if it is
    damaged.
    """
    if not LIST.is_file():
        raise MissingError(
            f"The shipped shelf is not at {LIST}.", "Restore it, or run: python -m engine.toybox.shelf"
        )
    try:
        rows = [
            (int(row["seed"]), str(row["kind"]), str(row["caption"]))
            for row in json.loads(LIST.read_text(encoding="utf-8"))
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            f"{LIST} is not a list of objects ({error}).", "Run: python -m engine.toybox.shelf"
        ) from error
    return tuple(
        Item(f"toybox/{seed}", caption, SOURCE, LICENCE, build=partial(built, seed, kind))
        for seed, kind, caption in rows
    )


def built(seed: int, kind: str) -> RawMesh:
    """The shape of an object, in the canonical pose already."""
    return raw_mesh(draw_object(seed, kind).mesh)


def raw_mesh(mesh: ToyMesh) -> RawMesh:
    """A procedural mesh as one that was read."""
    faces, colours = mesh.faces.astype(np.int64), mesh.face_colours.astype(np.float64)
    return RawMesh(mesh.vertices.astype(np.float64), faces, colours, up="z", sure=True, front_is_x=True)


def embeddings(embedder_id: str) -> np.ndarray | None:
    """The shipped embeddings (N,V,D) of this embedder; None if they are of another, or of another list."""
    try:
        with np.load(EMBEDDINGS, allow_pickle=False) as kept:
            fits = str(kept["digest"]) == digest(embedder_id)
            return kept["views"].astype(np.float32) / STEPS if fits else None
    except (OSError, ValueError, KeyError):
        return None


def digest(embedder_id: str) -> str:
    """A name for the list's objects as seen by an embedder."""
    return hashlib.sha256(LIST.read_bytes() + embedder_id.encode()).hexdigest()[:20]


def seed_of(kind: str, nth: int) -> int:
    """The seed of the shelf's ``nth`` object of a kind: thousands for the first hundred kinds, half-thousands
    beyond them.
    """
    number = KINDS.index(kind)
    return FIRST_SEED + SEEDS_PER_KIND * (number % 100) + SEEDS_PER_KIND // 2 * (number // 100) + nth


def _row(seed: int, kind: str) -> Mapping[str, object]:
    return {"seed": seed, "kind": kind, "caption": plain_caption(draw_object(seed, kind))}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the list, embed its objects, write that too."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.toybox.shelf", description="List the shelf's objects and embed them."
    )
    parser.add_argument(
        "--anew", action="store_true", help="embed those, too, that were listed before: builders have changed"
    )
    anew = parser.parse_args(arguments).anew
    limit_threads()
    embedder: ToyboxEmbedder = load()
    known = {} if anew else _embedded_before(embedder.id)
    rows = [
        _row(seed_of(kind, nth), kind)
        for nth in range(PER_FIRST_KIND)
        for kind in KINDS
        if nth < PER_KIND or kind in FIRST_KINDS
    ]
    with atomic_path(LIST) as part:
        part.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")
    views = np.stack(
        [
            known[_key(row)] if _key(row) in known else embedded(shape_of(item), embedder)
            for row, item in zip(rows, items())
        ]
    )
    with atomic_path(EMBEDDINGS) as part:
        np.savez_compressed(
            part, views=np.round(views * STEPS).astype(np.int8), digest=np.array(digest(embedder.id))
        )
    print(f"{len(rows)} objects: {LIST}, {EMBEDDINGS} ({EMBEDDINGS.stat().st_size / 1000:.0f} kB)")
    return 0


def _embedded_before(embedder_id: str) -> dict[str, np.ndarray]:
    """The shipped embeddings (V,D) by row of the list."""
    views = embeddings(embedder_id) if LIST.is_file() else None
    return {} if views is None else dict(zip(map(_key, json.loads(LIST.read_text(encoding="utf-8"))), views))


def _key(row: Mapping[str, object]) -> str:
    return json.dumps(row, sort_keys=True)


if __name__ == "__main__":
    sys.exit(main())
