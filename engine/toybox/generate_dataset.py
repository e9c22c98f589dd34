"""Fill a folder with toybox shards in worker processes, or draw a sheet of what the objects look like."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from engine.errors import InputError, StudioError, storage_errors
from engine.toybox.captions import caption
from engine.toybox.dataset import (
    CLASSIFIER_SEED,
    HELD_OUT_SEED,
    PROCEDURAL,
    SHARD_OBJECTS,
    Recipe,
    ensure_shard,
    model_shard_path,
    shard_path,
)
from engine.toybox.models.collection import open_collection
from engine.toybox.models.drawing import MODEL_SEED
from engine.toybox.objects import KINDS, draw_object
from engine.toybox.pictures import on_white, render_object

LABEL_HEIGHT = 28

Report = Callable[[int, int, float], None]
"""Told after each shard: objects present, objects wanted, seconds since the start."""


def write_sheet(
    path: Path,
    *,
    kinds: Sequence[str] = KINDS,
    seeds: Sequence[int] = (0, 1, 2),
    azimuths_deg: Sequence[float] = (0.0, 60.0, 180.0),
    elevation_deg: float = 20.0,
    resolution: int = 96,
    columns: int = 3,
) -> None:
    """Write a PNG with one block a kind: for each seed a label over its azimuths side by side."""
    blocks = [_block(kind, seeds, azimuths_deg, elevation_deg, resolution) for kind in kinds]
    blocks += [np.full_like(blocks[0], 255)] * (-len(blocks) % columns)
    rows = [np.concatenate(blocks[i : i + columns], axis=1) for i in range(0, len(blocks), columns)]
    with storage_errors(path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.concatenate(rows)).save(path)


def _block(
    kind: str, seeds: Sequence[int], azimuths_deg: Sequence[float], elevation_deg: float, size: int
) -> np.ndarray:
    """One kind as an RGB image: for each seed a label and its views."""
    return np.concatenate([_cell(kind, seed, azimuths_deg, elevation_deg, size) for seed in seeds], axis=1)


def _cell(kind: str, seed: int, azimuths_deg: Sequence[float], elevation_deg: float, size: int) -> np.ndarray:
    obj = draw_object(seed, kind)
    rgba = render_object(obj, azimuths_deg, [elevation_deg] * len(azimuths_deg), size).rgba
    strip = np.concatenate(list(on_white(rgba)), axis=1)
    label = Image.new("RGB", (strip.shape[1], LABEL_HEIGHT), "white")
    text = f"{kind}, seed {seed}\n{caption(obj, np.random.default_rng(seed))}"
    ImageDraw.Draw(label).text((3, 1), text, fill="black", spacing=1)
    return np.concatenate([np.asarray(label), strip])


def fill_cache(
    folder: Path,
    objects: int,
    *,
    procs: int = 2,
    seed_start: int = 0,
    recipe: Recipe = PROCEDURAL,
    report: Report | None = None,
) -> int:
    """Make sure a folder holds shards of at least ``objects`` objects; sound ones are kept. Returns how many
    were generated.

    Raises `InputError` for a count below 1 or seeds that serve different purposes, `StorageError` if the
    folder cannot be written.
    """
    n_shards, started, present, made = math.ceil(objects / SHARD_OBJECTS), time.monotonic(), 0, 0
    if recipe.models is not None:
        seed_start += MODEL_SEED
    _check(seed_start, n_shards * SHARD_OBJECTS, procs)
    for generated in _ensure_all(Path(folder), n_shards, procs, seed_start, recipe):
        present, made = present + SHARD_OBJECTS, made + generated
        if report is not None:
            report(present, n_shards * SHARD_OBJECTS, time.monotonic() - started)
    return made


def _check(seed_start: int, objects: int, procs: int) -> None:
    """Refuse empty requests, and ranges of seeds that reach from one purpose into the next."""
    if procs < 1:
        raise InputError(f"--procs is {procs}, allowed is 1 or more.", "Use the number of free cores.")
    end = next(
        (bound for bound in (CLASSIFIER_SEED, HELD_OUT_SEED, MODEL_SEED) if seed_start < bound), math.inf
    )
    if seed_start < 0 or objects < 1 or seed_start + objects > end:
        raise InputError(
            f"Seeds {seed_start} to {seed_start + objects - 1} were asked for; allowed are at least one "
            "object, and seeds from 0 "
            f"that do not cross {CLASSIFIER_SEED} or {HELD_OUT_SEED}.",
            "Choose another --objects or --seed-start.",
        )


def _ensure_all(folder: Path, n_shards: int, procs: int, seed_start: int, recipe: Recipe) -> Iterator[bool]:
    """Yield for each shard, as it is ready, whether it had to be generated."""
    place = shard_path if recipe.models is None else model_shard_path
    tasks = [
        (place(folder, i), seed_start + i * SHARD_OBJECTS, SHARD_OBJECTS, recipe) for i in range(n_shards)
    ]
    if procs == 1:
        yield from (ensure_shard(*task) for task in tasks)
        return
    with ProcessPoolExecutor(procs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(ensure_shard, *task) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def _print_progress(present: int, wanted: int, seconds: float) -> None:
    rate = present / max(seconds, 1e-9)
    line = f"{present}/{wanted} objects, {rate:.0f}/s, {(wanted - present) / rate:.0f} s left"
    print(f"\r{line:<60}", end="\n" if present == wanted else "", flush=True)


def kinds_named(text: str) -> tuple[str, ...]:
    """The kinds in "all", or in a list with commas; an empty text names none."""
    return KINDS if text == "all" else tuple(filter(None, (name.strip() for name in text.split(","))))


def _print_collection(folder: Path) -> None:
    """What a folder of models gives, and each file that gives nothing."""
    collection = open_collection(folder)
    held_out = sum(model.held_out for model in collection.models)
    print(f"{len(collection.models)} models of {len(collection.kinds)} kinds, {held_out} of them held out")
    for name, reason in collection.skipped.items():
        if reason != "without a label":
            print(f"skipped {name}: {reason}")
    unlabelled = sum(reason == "without a label" for reason in collection.skipped.values())
    if unlabelled:
        print(f"skipped {unlabelled} models without a label (engine/toybox/models/labels.tsv)")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command ``python -m engine.toybox.dataset``; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m engine.toybox.dataset", description=__doc__)
    parser.add_argument("--out", type=Path, help="folder to fill with shards")
    parser.add_argument(
        "--objects", type=int, default=30_000, help="how many objects it shall hold (default %(default)s)"
    )
    parser.add_argument("--procs", type=int, default=2, help="worker processes (default %(default)s)")
    parser.add_argument(
        "--seed-start", type=int, default=0, help="seed of the first object (default %(default)s)"
    )
    parser.add_argument("--ccm", action="store_true", help="store canonical-coordinate maps as well")
    parser.add_argument(
        "--models", type=Path, metavar="FOLDER", help="draw the objects from the named 3D models of a folder"
    )
    kinds_help = "draw these kinds, or all (default: the first procedural ones, or all models)"
    parser.add_argument("--kinds", default="", metavar="NAME,NAME", help=kinds_help)
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="write a contact sheet of all kinds")
    options = parser.parse_args(arguments)
    if options.out is None and options.sheet is None:
        parser.error("give --out DIR, --sheet FILE.png or both")
    recipe = Recipe(options.models, kinds_named(options.kinds), options.ccm)
    try:
        if options.sheet is not None:
            write_sheet(options.sheet)
        if options.models is not None:
            _print_collection(options.models)
        if options.out is not None:
            fill_cache(options.out, options.objects, procs=options.procs, seed_start=options.seed_start,
                       recipe=recipe, report=_print_progress)  # fmt: skip
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0
