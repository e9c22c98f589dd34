"""Looking up a reference: on the shipped shelf, in a folder of the user's, or among the results of a
library.
"""

from __future__ import annotations

import difflib
import importlib
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.assets.images.image_arguments import pictures_in
from engine.errors import InputError, MissingError
from engine.loop.image_settings import AUTO
from engine.loop.prompt_words import heard, stands_in
from engine.loop.reference.input_files import digest, kept_item
from engine.loop.reference.provenance import Origin, write_origin
from engine.loop.reference.reference_source import FromRun, FromShelf, Retrieved, parsed_reference
from engine.loop.settings import Settings, with_values
from engine.loop.spec import RunSpec
from engine.prior.registry import find_entry, kinds_of
from engine.retrieval.collections import fetched_in
from engine.retrieval.embedder import Embedder, load_embedder
from engine.retrieval.items import Item, Match

if TYPE_CHECKING:
    from engine.retrieval.search import Sought
    from engine.retrieval.shelf import Shelf

CACHE = ".references"
STAND_INS = "engine.toybox.stand_in"
"""Beside the house, and only looked up when it is asked for."""

TEMPERATURE = 0.05
"""Of the draw among the best matches."""

QUERY_SIZE = 128
LEAST_SIMILARITY = 1e-6
FOLDER_VARIABLE = "MAQUETTE_SHELF"


def own_folder(environment: Mapping[str, str]) -> Path | None:
    """The folder of models that ``MAQUETTE_SHELF`` names, if any."""
    named = environment.get(FOLDER_VARIABLE)
    return Path(named).expanduser() if named else None


class References:
    """What a reference can be taken from. May be used by several threads.

    ``library`` holds the runs, and beside them what was learned of ``folder``, in which nothing is ever
    written. Raises MissingError if that is no folder.
    """

    def __init__(self, library: Path, folder: Path | None = None, embedder: str = "toybox") -> None:
        if folder is not None and not folder.is_dir():
            raise MissingError(
                f"The folder of models {folder} is not there.", "Correct --shelf or MAQUETTE_SHELF."
            )
        self.library, self.folder, self._embedder_name = library.expanduser(), folder, embedder
        self._lock = threading.Lock()

    def shelf(self) -> Shelf:
        """Everything to choose from as it is now; new files in the user's folder are read and embedded
        first.
        """
        from engine.retrieval.shelf import folder_shelf, together  # imports torch

        with self._lock:
            own = [] if self.folder is None else [folder_shelf(self.folder, self._embedder, self._cache)]
            fetched = [
                folder_shelf(place, self._embedder, self._cache, prefix=place.name)
                for place in fetched_in(self.library)
            ]
            return together([*own, *fetched, self._shipped])

    def item(self, id: str) -> Item:
        """The thing of this id. Raises InputError with the nearest ones."""
        items = {item.id: item for item in self.shelf().items}
        if id not in items:
            raise InputError(
                f"There is no {id!r} on the shelf.", f"Did you mean {_nearest(id, list(items.values()))}?"
            )
        return items[id]

    def result(self, token: str) -> Item:
        """The 3D result of a run. Raises InputError if there is no such run, or it has no 3D result yet."""
        from engine.retrieval.shelf import result_in  # imports torch

        folder = self.library / token
        if not any((folder / name).is_file() for name in ("job.json", "result.json")):
            raise InputError(
                f"There is no run {token!r} in this library.",
                "Choose one of your results, or upload its file.",
            )
        item = result_in(folder)
        if item is None:
            raise InputError(
                f"The run {token!r} has no 3D result yet.", "Wait until it is done, or choose another one."
            )
        return item

    def matches(self, spec: RunSpec, k: int) -> Sequence[Match]:
        """The ``k`` things most like the pictures of ``spec``, or, where there are none, its words; best
        first.

        Things that no word of the prompt fits are left out. Raises InputError if there are neither words nor
        pictures.
        """
        from engine.retrieval.search import find_by_pictures, find_by_words  # imports torch

        shelf = self.shelf()
        if spec.images.strip():
            return find_by_pictures(shelf, self._embedder, sought_in(spec), k)
        matches = find_by_words(shelf, self._embedder, spec.prompt, k)
        return [match for match in matches if match.similarity > LEAST_SIMILARITY]

    def settled(self, settings: Settings, folder: Path) -> Settings:
        """``settings`` whose reference is a file in the run's ``folder``, with its origin beside it; others
        as they are.

        A draw among the best matches is decided by the run's seed. Raises InputError, MissingError or
        StorageError.
        """
        source = parsed_reference(settings.spec.reference)
        if source is not None:
            match = self._chosen(source, settings.spec)
        elif (stand_in := stand_in_for(settings.spec)) is not None:
            match = Match(stand_in, np.nan)
        else:
            return settings
        path, item = kept_item(match.item, folder), match.item
        near = float(match.similarity) if np.isfinite(match.similarity) else None
        reason = "" if source is not None else _reason(settings.spec, item)
        retrieved = isinstance(source, Retrieved)
        write_origin(path, Origin(item.id, item.caption, item.source, item.licence, near, retrieved, reason))
        return with_values(settings, {"reference": f"{path.absolute()}#{digest(path)}"})

    def _chosen(self, source: FromShelf | FromRun | Retrieved, spec: RunSpec) -> Match:
        from engine.retrieval.search import drawn  # imports torch

        if isinstance(source, FromRun):
            return Match(self.result(source.token), np.nan)
        if isinstance(source, FromShelf):
            item = self.item(source.id)
            return Match(item, self._similarity(item, spec))
        matches = self.matches(spec, source.k)
        if not matches:
            raise InputError(
                f"Nothing on the shelf is like {spec.prompt!r}, so there is no reference to take.",
                "Choose one by hand, add models of your own, or go on without a reference.",
            )
        return drawn(matches, TEMPERATURE, np.random.default_rng(spec.seed))

    def _similarity(self, item: Item, spec: RunSpec) -> float:
        """Of a thing that was picked by hand with what is asked for; not a number where nothing compares."""
        from engine.retrieval.embed_views import shape_of
        from engine.retrieval.search import closeness  # imports torch

        if spec.images.strip():
            return closeness(shape_of(item), sought_in(spec))
        matches = self.matches(spec, len(self.shelf().items)) if spec.prompt.strip() else []
        return next((match.similarity for match in matches if match.item == item), np.nan)

    @property
    def _cache(self) -> Path:
        return self.library / CACHE

    @cached_property
    def _embedder(self) -> Embedder:
        return load_embedder(self._embedder_name)

    @cached_property
    def _shipped(self) -> Shelf:
        from engine.retrieval.shelf import toybox_shelf  # imports torch

        return toybox_shelf(self._embedder, self._cache)


def stand_in_for(spec: RunSpec) -> Item | None:
    """What guides a draft from words alone of a kind that the prior has not learned, though the shipped shelf
    has it.
    """
    if not stands_in(spec):
        return None
    try:
        made = kinds_of(find_entry(spec.prior))
    except InputError:  # whoever loads it will say that it is not known
        return None
    return (
        None
        if made is None
        else importlib.import_module(STAND_INS).stand_in(heard(spec).prompt, spec.seed, made)
    )


def _reason(spec: RunSpec, item: Item) -> str:
    title = find_entry(spec.prior).title
    return (
        f"{title} has not learned to make {item.caption} by itself: one from the shelf guides it "
        f"({item.id}). "
        "Follow the reference less to leave it more freedom."
    )


def sought_in(spec: RunSpec) -> list[Sought]:
    """The pictures of ``spec``, of which there is at least one; where cameras stood is not known where that
    is estimated.
    """
    from engine.loop.input_images import shown_pictures  # imports torch
    from engine.retrieval.search import Sought

    known = AUTO not in (spec.image_azimuth, spec.image_elevation)
    return [
        Sought(rgba, (picture.azimuth_deg, spec.image_elevation_deg) if known else None, weight)
        for picture, rgba, weight in zip(
            pictures_in(spec.images), *shown_pictures(spec, QUERY_SIZE), strict=True
        )
    ]


def _nearest(id: str, items: Sequence[Item]) -> str:
    """Ids like ``id``, else things whose captions hold the word, else the first ones."""
    ids = [item.id for item in items]
    word = id.rpartition("/")[2].lower()
    named = [item.id for item in items if word and word in item.caption.lower().split()]
    near = named[:3] or difflib.get_close_matches(id, ids, n=3, cutoff=0.5) or ids[:3]
    return ", ".join(near)
