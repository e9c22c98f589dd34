"""``python -m studio shelf``: 3D references to set out from, found by words or by a picture."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from engine.assets.images.decoding import read_photo
from engine.assets.images.segmentation import cut_out
from engine.errors import InputError
from engine.loop.devices import limit_threads
from engine.retrieval.collections import fetched_in
from engine.retrieval.embedder import Embedder, load_embedder
from engine.retrieval.index import Report
from engine.retrieval.items import Match
from engine.retrieval.match_sheet import write_matches
from engine.retrieval.search import drawn, find_by_picture, find_by_words
from engine.retrieval.shelf import Shelf, folder_shelf, results_shelf, together, toybox_shelf
from engine.session.library import default_root
from engine.session.reference_lookup import CACHE, own_folder
from studio.commands.shelf_stock import stock_up

LISTED = 12


def shelf(options: argparse.Namespace) -> None:
    """List what is on the shelf, or what matches best, and draw a sheet of it where that was asked for."""
    limit_threads()
    if options.collections or options.fetch is not None or options.add is not None:
        stock_up(options, options.library or default_root(os.environ))
        return
    if options.search is not None and options.image is not None:
        raise InputError(
            "Both --search and --image were given.", "Search by words or by a picture, one at a time."
        )
    root = options.library or default_root(os.environ)
    embedder = load_embedder(options.embedder)
    stocked = _stocked(options.folder, options.results, root, embedder)
    matches, title = _matches(stocked, embedder, options)
    searched = options.search is not None or options.image is not None
    for match in matches:
        print(_line(match, searched=searched))
    for file in stocked.unreadable:
        print(f"not readable: {file.name}: {file.reason}", file=sys.stderr)
    if not matches:
        print("Nothing is on this shelf.", file=sys.stderr)
    if options.pick is not None and searched and matches:
        rng = np.random.default_rng(options.pick)
        print(f"picked: {drawn(matches, options.temperature, rng).item.id}")
    if options.sheet is not None and matches:
        write_matches(options.sheet, matches, title)
        print(options.sheet)


def _stocked(folder: Path | None, results: bool, root: Path, embedder: Embedder) -> Shelf:
    """The shelf that the options name: a folder, earlier results, or else what every run chooses from."""
    cache, own = root.expanduser() / CACHE, []
    if folder is None and not results:
        return _everyday(root.expanduser(), embedder, cache)
    if folder is not None:
        own.append(_with_bar(lambda report: folder_shelf(folder, embedder, cache, report)))
    if results:
        runs = sorted(path.parent for path in root.expanduser().glob("*/result.json"))
        own.append(results_shelf(runs, root.expanduser(), embedder, cache))
    return together(own)


def _everyday(root: Path, embedder: Embedder, cache: Path) -> Shelf:
    """What every run can take references from: the user's own models, the fetched collections, the shipped
    shelf.
    """
    mine = own_folder(os.environ)
    places = [(place, place.name) for place in fetched_in(root)]
    own = [*([(mine, "folder")] if mine is not None else []), *places]
    shelves = [
        _with_bar(
            lambda report, place=place, prefix=prefix: folder_shelf(place, embedder, cache, report, prefix)
        )
        for place, prefix in own
    ]
    return together([*shelves, _with_bar(lambda report: toybox_shelf(embedder, cache, report))])


def _with_bar(stock: Callable[[Report], Shelf]) -> Shelf:
    """Index with a bar, which only shows if it takes a while."""
    with tqdm(desc="indexing", unit="model", delay=2, leave=False, disable=None) as bar:

        def report(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        return stock(report)


def _matches(stocked: Shelf, embedder: Embedder, options: argparse.Namespace) -> tuple[Sequence[Match], str]:
    """The matches, and a title for them; without a search a varied handful from all over the shelf."""
    if options.search is not None:
        return find_by_words(stocked, embedder, options.search, options.top), f"“{options.search}”"
    if options.image is not None:
        cut = cut_out(read_photo(options.image).rgba)[0]
        return find_by_picture(stocked, embedder, cut, options.top), f"like {options.image.name}"
    count = len(stocked.items) if options.all else min(LISTED, len(stocked.items))
    picked = [stocked.items[round(k)] for k in np.linspace(0, len(stocked.items) - 1, count)] if count else []
    return [Match(item, math.nan) for item in picked], f"{count} of {len(stocked.items)} references"


def _line(match: Match, *, searched: bool) -> str:
    item = match.item
    near = f"{match.similarity:5.2f}  " if searched else ""
    return f"{near}{item.id:<24} {item.caption}  [{item.licence}; {item.source}]"
