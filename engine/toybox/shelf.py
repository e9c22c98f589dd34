"""The shelf of references that comes with the studio: ten procedural objects of each of the twenty-four kinds.

Only their seeds and captions are kept; shapes are built when they are wanted. The seeds are from 700,000 up, which neither the
prior (up to 59,999), nor the classifier (800,000 and up), nor any measurement (900,000 and up) uses.

    python -m engine.toybox.shelf      choose the objects and embed them again
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from engine.errors import FileFormatError, MissingError
from engine.loop.export.files import atomic_path
from engine.loop.references.items import Item
from engine.loop.references.shape import RawMesh
from engine.loop.references.shelf import embedded, shape_of
from engine.prior.reference.silhouette import outline
from engine.toybox.captions import plain_caption
from engine.toybox.objects import KINDS, ToyObject, draw_object
from engine.toybox.pictures import render_object
from engine.toybox.retrieval import ToyboxEmbedder, load
from engine.toybox.retrieval import synonyms as synonyms
from engine.toybox.words import COLOURS

FIRST_SEED, SEEDS_PER_KIND = 700_000, 1000
FOLDER = Path(__file__).resolve().parents[2] / "presets" / "shelf"
LIST, EMBEDDINGS = FOLDER / "toybox.json", FOLDER / "toybox.npz"
PER_KIND, CANDIDATES = 10, 30
SOURCE, LICENCE = "toybox, procedural", "Apache-2.0"
STEPS = 127
"""An embedding's numbers are kept as whole ones up to this."""


def items() -> tuple[Item, ...]:
    """Every object of the shelf. Raises `MissingError` without the list, `FileFormatError` if it is damaged."""
    if not LIST.is_file():
        raise MissingError(f"The shipped shelf is not at {LIST}.", "Restore it, or run: python -m engine.toybox.shelf")
    try:
        rows = [(int(row["seed"]), str(row["kind"]), str(row["caption"])) for row in json.loads(LIST.read_text(encoding="utf-8"))]
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(f"{LIST} is not a list of objects ({error}).", "Run: python -m engine.toybox.shelf") from error
    return tuple(
        Item(f"toybox/{seed}", caption, SOURCE, LICENCE, build=partial(built, seed, kind)) for seed, kind, caption in rows
    )


def built(seed: int, kind: str) -> RawMesh:
    """The shape of an object, in the canonical pose already."""
    mesh = draw_object(seed, kind).mesh
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


def chosen(kind: str) -> list[int]:
    """Seeds of ``PER_KIND`` objects of a kind that differ in shape and colour: each is the farthest from those before it."""
    first = FIRST_SEED + KINDS.index(kind) * SEEDS_PER_KIND
    seeds = list(range(first, first + CANDIDATES))
    looks = np.stack([_look(draw_object(seed, kind)) for seed in seeds])
    apart = np.linalg.norm(looks[:, None] - looks[None], axis=-1)
    picked = [int(apart.sum(1).argmin())]  # the most usual one first
    while len(picked) < PER_KIND:
        picked.append(int(apart[:, picked].min(1).argmax()))
    return [seeds[k] for k in picked]


def _look(obj: ToyObject) -> np.ndarray:
    """Outlines from three sides and the body's colour, which counts less."""
    seen = render_object(obj, (0.0, 55.0, 90.0), (15.0, 15.0, 15.0), resolution=32).rgba
    return np.concatenate([outline(seen).ravel() / np.sqrt(3), 0.6 * np.asarray(COLOURS[obj.part_colours["body"]])])


def _row(seed: int, kind: str) -> Mapping[str, object]:
    return {"seed": seed, "kind": kind, "caption": plain_caption(draw_object(seed, kind))}


def main() -> int:
    """Choose the objects, write the list, embed them, write that too."""
    rows = [_row(seed, kind) for kind in KINDS for seed in chosen(kind)]
    with atomic_path(LIST) as part:
        part.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")
    embedder: ToyboxEmbedder = load()
    views = np.stack([embedded(shape_of(item), embedder) for item in items()])
    with atomic_path(EMBEDDINGS) as part:
        np.savez_compressed(part, views=np.round(views * STEPS).astype(np.int8), digest=np.array(digest(embedder.id)))
    print(f"{len(rows)} objects: {LIST}, {EMBEDDINGS} ({EMBEDDINGS.stat().st_size / 1000:.0f} kB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
