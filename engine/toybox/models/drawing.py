"""Draw a training object from a collection of models by seed: a kind, a model of it, a colour, a stretch,
perhaps a mirror.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.core.views import LUMA
from engine.errors import InputError
from engine.toybox.models.collection import Collection, Model
from engine.toybox.objects.assembly import canonical, face_areas
from engine.toybox.objects.mesh import ToyMesh, ToyObject
from engine.toybox.words import BASE_COLOURS, SHADES, draw_colour, nearest_colour_word

LEVELS = 6
"""Steps a channel in which colours count as one area."""
PAINTED_SHARE = 0.6
"""Areas are painted, the largest first, until this share of the surface is."""

MODEL_SEED = 10_000_000
"""Seeds from here on are objects drawn from models."""
NATURAL_SHARE = 0.2
SHADE_SHARE = 0.12
STRETCH = 0.1
"""Each axis is scaled by up to this much."""
MANY = 12
"""A kind's chance to be drawn grows with the square root of its models up to this number, so that rare ones
are not drowned.
"""
GREY_RANGE = 0.06
"""A model whose colours differ by less, all of them grey, was never coloured."""


@dataclass(frozen=True)
class ModelDrawer:
    """Draws objects of the models of a collection that may be trained on."""

    collection: Collection

    @cached_property
    def _by_kind(self) -> Mapping[str, tuple[Model, ...]]:
        return {kind: self.collection.of_kind(kind) for kind in self.collection.kinds}

    def __call__(self, seed: int, kinds: Sequence[str] = ()) -> ToyObject:
        """The object of a seed, of some ``kinds`` or of all; the same arguments and collection always give
        the same object.

        Raises `InputError` if there are no models of these kinds.
        """
        rng = np.random.default_rng([seed, 4])
        chosen = [self._by_kind[kind] for kind in kinds or self.collection.kinds if kind in self._by_kind]
        if not chosen:
            raise InputError(
                f"There are no models of {', '.join(kinds)}.",
                f"There are: {', '.join(self.collection.kinds)}.",
            )
        weights = np.sqrt([min(len(models), MANY) for models in chosen])
        models = chosen[int(rng.choice(len(chosen), p=weights / weights.sum()))]
        return dressed(models[int(rng.integers(len(models)))], rng)


def dressed(model: Model, rng: np.random.Generator) -> ToyObject:
    """A model with a colour of its own or as it is, a little stretched, mirrored half of the time."""
    mesh = _deformed(model.read(), rng)
    uncoloured = _is_grey(mesh.face_colours)
    if rng.random() < NATURAL_SHARE and not uncoloured:
        word, bound, colours = nearest_colour_word(mesh.face_colours.mean(0)), (), mesh.face_colours
    else:
        words = tuple(SHADES) if rng.random() < SHADE_SHARE else tuple(BASE_COLOURS)
        word, bound = words[int(rng.integers(len(words)))], ("body",)
        colours = repainted(mesh, draw_colour(word, rng), rng)
    nouns = (model.label.kind, *((model.label.noun,) if model.label.noun else ()))
    painted = ToyMesh(mesh.vertices, mesh.faces, colours)
    return ToyObject(model.label.kind, painted, {"body": word}, (), not bound, bound, nouns)


def _deformed(mesh: ToyMesh, rng: np.random.Generator) -> ToyMesh:
    scale = 1 + rng.uniform(-STRETCH, STRETCH, 3)
    faces = mesh.faces
    if rng.random() < 0.5:  # left and right change places; the corners' order turns with them
        scale[1], faces = -scale[1], faces[:, ::-1]
    return ToyMesh(
        canonical(mesh.vertices * scale).astype(np.float32), np.ascontiguousarray(faces), mesh.face_colours
    )


def _is_grey(colours: np.ndarray) -> bool:
    return float(np.ptp(colours, axis=1).max()) < GREY_RANGE and float(np.ptp(colours.mean(1))) < GREY_RANGE


def repainted(mesh: ToyMesh, colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Face colours (F,3) of ``mesh`` with its main areas in ``colour`` (3,), shaded as they were."""
    areas = face_areas(mesh.vertices, mesh.faces)
    painted = main_areas(mesh.face_colours, areas)
    luma = mesh.face_colours @ LUMA
    mean = np.average(luma[painted], weights=areas[painted] + 1e-12)
    contrast = rng.uniform(0.3, 0.8)
    shade = np.clip((luma / max(mean, 0.05)) ** contrast, 0.6, 1.3)[:, None]
    return np.where(painted[:, None], np.clip(colour * shade, 0.02, 0.98), mesh.face_colours).astype(
        np.float32
    )


def main_areas(colours: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """Which faces (F,) bool belong to the most widespread colours of a mesh, at least `PAINTED_SHARE` of its
    surface.
    """
    cells = np.minimum((colours * LEVELS).astype(np.int64), LEVELS - 1) @ np.array([LEVELS**2, LEVELS, 1])
    names, owner = np.unique(cells, return_inverse=True)
    weights = np.bincount(owner, areas, len(names))
    order = np.argsort(-weights)
    before = np.cumsum(weights[order]) - weights[order]
    chosen = np.zeros(len(names), bool)
    chosen[order[before < PAINTED_SHARE * weights.sum()]] = True
    return chosen[owner]
