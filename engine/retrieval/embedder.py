"""What embeds pictures and words for retrieval, and how a thing on a shelf is looked at for it: from all round."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from engine.assets.images.crop import SOLID, crop_of, framed
from engine.assets.meshes.canonical_pose import AUTO, Orientation
from engine.assets.meshes.mesh_file import as_shape, read_reference
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.assets.meshes.render_maps import pictures_of
from engine.assets.meshes.repair import mended
from engine.errors import InputError
from engine.retrieval.items import Item

AZIMUTHS_DEG, ELEVATION_DEG = tuple(22.5 * k for k in range(16)), 15.0
FILL = 0.8
"""Share of a picture that the object takes when it is compared."""

EMBEDDERS = {
    "toybox": "engine.toybox.retrieval",  # stands beside the house, and is only looked up when it is asked for
    "clip": "engine.retrieval.clip_embedder",
}
"""An embedder is made by ``load()`` of a module; one that is not in this list is named by its dotted name."""


class Embedder(Protocol):
    """Brings pictures, and perhaps words, into one space in which near means alike."""

    id: str  # kept embeddings are thrown away when it changes
    picture_size: int  # side in pixels of the pictures it looks at

    def pictures(self, rgba: np.ndarray) -> np.ndarray:
        """(N,D) of unit length, from premultiplied RGBA (N,S,S,4) float32 in 0..1."""
        ...

    def words(self, texts: Sequence[str]) -> np.ndarray | None:
        """(N,D) in the space of the pictures; None if it knows pictures only, and captions have to be compared."""
        ...


def load_embedder(name: str) -> Embedder:
    """The embedder of that name. Raises `InputError` for an unknown one, `MissingError` if its weights are not here."""
    dotted = EMBEDDERS.get(name, name if "." in name else "")
    try:
        module = importlib.import_module(dotted) if dotted else None
    except ModuleNotFoundError as error:
        raise InputError(
            f"The embedder {name!r} cannot be imported: {error}.", f"Choose one of {', '.join(EMBEDDERS)}."
        ) from error
    if module is None or not hasattr(module, "load"):
        raise InputError(f"There is no embedder {name!r}.", f"Choose one of {', '.join(EMBEDDERS)}.")
    return module.load()


def shape_of(item: Item, orientation: Orientation = AUTO) -> ReferenceShape:
    """The thing itself, read or built. Raises as `read_reference`."""
    if item.build is not None:
        return as_shape(mended(item.build()), item.id.rpartition("/")[2], orientation)
    if item.path is None:
        raise InputError(f"{item.caption} has neither a file nor a plan.", "Choose another thing of the shelf.")
    return read_reference(item.path, orientation)


def embedded(shape: ReferenceShape, embedder: Embedder) -> np.ndarray:
    """Embeddings (V,D) of the shape's pictures from all round."""
    pictures = pictures_of(shape, np.array(AZIMUTHS_DEG), ELEVATION_DEG, embedder.picture_size)
    return embedder.pictures(comparable(pictures, embedder.picture_size)).astype(np.float32)


def comparable(pictures: Sequence[np.ndarray] | np.ndarray, size: int) -> np.ndarray:
    """Each object in the middle and equally large, so that a cut-out photo and a render compare; empty if too thin to be seen."""
    empty = np.zeros((size, size, 4), np.float32)
    visible = [picture[..., 3].max() > SOLID for picture in pictures]
    rows = [
        framed(picture, crop_of(picture[..., 3], FILL), size) if there else empty for picture, there in zip(pictures, visible)
    ]
    return np.stack(rows).astype(np.float32)
