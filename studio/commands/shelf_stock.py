"""``python -m studio shelf --collections | --fetch NAME | --add FILE``: more models for the shelf of every
later run.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from engine.errors import InputError, MissingError, StorageError
from engine.retrieval.collections import (
    PLACE,
    Collection,
    collection_names,
    fetch_collection,
    find_collection,
    missing_files,
)
from engine.retrieval.sweet_home import unpack_furniture
from studio.commands.listing import agreed


def stock_up(options: argparse.Namespace, root: Path) -> None:
    """List, fetch or add; ``root`` is the library. Raises what fetching and unpacking raise."""
    place = root.expanduser() / PLACE
    if options.collections:
        for name in collection_names():
            collection = find_collection(name)
            print(_line(collection, place / name))
    if options.fetch is not None:
        _fetch(find_collection(options.fetch), place, accepted=options.yes)
    if options.add is not None:
        _add(options.add, place)


def _line(collection: Collection, folder: Path) -> str:
    lacking = missing_files(collection, folder)
    state = "fetched" if not lacking else f"{sum(file.size for file in lacking) / 1e6:.0f} MB to fetch"
    facts = "; ".join((state, collection.licence, collection.page))
    return f"{collection.name:<14} {collection.title}: {collection.models} models  [{facts}]"


def _fetch(collection: Collection, place: Path, *, accepted: bool) -> None:
    folder = place / collection.name
    lacking = missing_files(collection, folder)
    if not lacking:
        print(f"{collection.name} is on the shelf already.")
        return
    host = lacking[0].url.split("/")[2]
    print(_line(collection, folder))
    print(f"by {collection.author}, from {host}, to {folder}")
    if not accepted and not agreed():
        raise MissingError(f"{collection.name} was not fetched.", "Answer y, or pass --yes.")
    with tqdm(total=collection.size, unit="B", unit_scale=True, desc=collection.name) as bar:
        fetch_collection(collection, folder, lambda there: bar.update(there - bar.n))
    print(
        f"{collection.models} models are on the shelf now. Find them: python -m studio shelf --search WORDS"
    )


def _add(path: Path, place: Path) -> None:
    if path.suffix.lower() != ".sh3f" or not path.is_file():
        raise InputError(
            f"{path} is no .sh3f file.", "Name a library of Sweet Home 3D; a plain folder goes with --folder."
        )
    folder = place / path.stem
    if folder.exists():
        raise StorageError(f"{folder} is there already.", "Delete it first, or give the file another name.")
    count, left = unpack_furniture(path, folder)
    note = f"; {len(left)} of another kind are left out" if left else ""
    print(f"{count} models are on the shelf now{note}. Find them: python -m studio shelf --search WORDS")
