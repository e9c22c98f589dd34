"""Shelves of references: the one that is shipped, a folder of the user's, earlier results."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.assets.export.files import atomic_path
from engine.retrieval.embed_views import AZIMUTHS_DEG, embedded, shape_of
from engine.retrieval.embedder import Embedder
from engine.retrieval.index import Index, Record, Report, indexed, models_in
from engine.retrieval.items import Item, Unreadable

TOYBOX = "engine.toybox.shelf"
"""Beside the house, and only looked up when it is asked for."""

RESULT_MODELS = ("mesh.glb", "scene.ply")


@dataclass(frozen=True, eq=False)
class Shelf:
    """N things with the embeddings (N,V,D) of their pictures, and files that could not be put there."""

    items: tuple[Item, ...]
    views: np.ndarray
    unreadable: tuple[Unreadable, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict)


def toybox_shelf(embedder: Embedder, cache: Path, report: Report = lambda done, of: None) -> Shelf:
    """The shipped shelf of procedural objects, with the embeddings by the toybox's embedder that are shipped.

    For another embedder it is the first few objects, whose embeddings are kept in ``cache``.
    """
    toybox = importlib.import_module(TOYBOX)
    items: tuple[Item, ...] = toybox.items()
    views = toybox.embeddings(embedder.id)
    if views is None:
        items = items[: toybox.FEW]
        views = _kept_embeddings(items, cache / f"{toybox.digest(embedder.id)}.npy", embedder, report)
    return Shelf(items, views, synonyms=toybox.synonyms())


def folder_shelf(
    folder: Path,
    embedder: Embedder,
    cache: Path,
    report: Report = lambda done, of: None,
    prefix: str = "folder",
) -> Shelf:
    """The models in a folder and below it, their ids after ``prefix``. Raises `MissingError` if it is not
    there.
    """
    index = _indexed(models_in(folder), folder, embedder, cache, report)
    items = tuple(_own_item(folder, record, prefix) for record in index.records)
    return _shelved(items, index)


def results_shelf(runs: Sequence[Path], root: Path, embedder: Embedder, cache: Path) -> Shelf:
    """Earlier results, from the run folders ``runs`` below ``root`` that the caller may see."""
    models = [_model_of(run) for run in runs]
    index = _indexed([path for path in models if path is not None], root, embedder, cache)
    items = tuple(_result_item(root / record.name) for record in index.records)
    return _shelved(items, index)


def result_in(run: Path) -> Item | None:
    """The result in a run's folder; None if it has none in 3D."""
    path = _model_of(run)
    return None if path is None else _result_item(path)


def together(shelves: Sequence[Shelf]) -> Shelf:
    """One shelf of several that were embedded alike."""
    filled = [shelf for shelf in shelves if shelf.items]
    views = np.concatenate([shelf.views for shelf in filled]) if filled else np.zeros((0, 1, 1), np.float32)
    synonyms = {word: meaning for shelf in shelves for word, meaning in shelf.synonyms.items()}
    return Shelf(
        tuple(item for shelf in filled for item in shelf.items),
        views,
        tuple(file for shelf in shelves for file in shelf.unreadable),
        synonyms,
    )


def _indexed(
    files: Sequence[Path], root: Path, embedder: Embedder, cache: Path, report: Report = lambda done, of: None
) -> Index:
    # seen from another number of sides, things do not compare
    key = f"{embedder.id}, {len(AZIMUTHS_DEG)} sides"
    return indexed(files, root, cache, key, lambda shape: embedded(shape, embedder), report)


def _shelved(items: Sequence[Item], index: Index) -> Shelf:
    """The readable ones on a shelf, the others in its list."""
    good = [k for k, record in enumerate(index.records) if not record.reason]
    broken = tuple(Unreadable(record.name, record.reason) for record in index.records if record.reason)
    return Shelf(
        tuple(items[k] for k in good), index.views[good], broken, importlib.import_module(TOYBOX).synonyms()
    )


def _own_item(folder: Path, record: Record, prefix: str) -> Item:
    """A file of the user's: what it says of itself, then what lies beside it, then its name."""
    path = folder / record.name
    caption = _first_line(path.with_suffix(".txt")) or record.title or _words_of(path.stem)
    beside = (
        _first_line(path.parent / name) for name in ("LICENSE", "LICENSE.txt", "LICENCE.txt", "license.txt")
    )
    licence = record.licence or next((line for line in beside if line), "unknown")
    source = ", ".join(part for part in (record.name, record.author, record.source) if part)
    return Item(f"{prefix}/{record.name}", caption, source, licence, path)


def _model_of(run: Path) -> Path | None:
    return next((run / name for name in RESULT_MODELS if (run / name).is_file()), None)


def _result_item(path: Path) -> Item:
    """An earlier result: its prompt, and what made it."""
    try:
        result = json.loads((path.parent / "result.json").read_text(encoding="utf-8"))
        prompt, prior = str(result["prompt"]), str(result["prior"])
    except (OSError, ValueError, KeyError, TypeError):
        prompt, prior = "", "an unknown prior"
    name = path.parent.name
    return Item(f"results/{name}", prompt or name, "your library", f"yours, made with {prior}", path)


def _first_line(path: Path) -> str:
    """The first line with words of a small text file, or nothing."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = (" ".join(line.split()) for line in file.read(4096).splitlines())
            return next((line[:200] for line in lines if line), "")
    except OSError:
        return ""


def _words_of(stem: str) -> str:
    """A file's name as words: "redChair_02" says "red chair"."""
    return " ".join(re.findall(r"[a-z]{2,}", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem).lower())) or stem


def _kept_embeddings(items: Sequence[Item], place: Path, embedder: Embedder, report: Report) -> np.ndarray:
    """Embeddings of things that never change, made once."""
    try:
        kept = np.load(place, allow_pickle=False).astype(np.float32)
        if len(kept) == len(items):
            return kept
    except (OSError, ValueError, EOFError):
        pass
    views = []
    for number, item in enumerate(items):
        views.append(embedded(shape_of(item), embedder))
        report(number + 1, len(items))
    with atomic_path(place) as partial:
        np.save(partial, np.stack(views).astype(np.float16))
    return np.stack(views)
