"""What embeds pictures and words for retrieval, by name."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from engine.errors import InputError

EMBEDDERS = {
    # stands beside the house, and is only looked up when it is asked for
    "toybox": "engine.toybox.retrieval",
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
        """(N,D) in the space of the pictures; None if it knows pictures only, and captions have to be
        compared.
        """
        ...


def load_embedder(name: str) -> Embedder:
    """The embedder of that name. Raises `InputError` for an unknown one, `MissingError` if its weights are
    not here.
    """
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
