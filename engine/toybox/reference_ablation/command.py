"""``python -m engine.toybox.benchmark --references``: what a 3D reference is worth, as in Phidias' table
(arXiv 2409.11406).

Assets of held-out objects are made from one picture under each reference, and compared with the truth. What
is done is kept in a folder, so that a table that was ended can go on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import InputError, storage_errors
from engine.loop.settings import Settings, flatten, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.session.presets import apply_preset, find_preset
from engine.toybox.benchmark.readme import put_between_markers
from engine.toybox.benchmark.reference_choice import KINDS, PICTURE, WORDS
from engine.toybox.benchmark.tasks import image_tasks
from engine.toybox.method_sweep.measuring import Progress, measured, names_in
from engine.toybox.reference_ablation import store
from engine.toybox.reference_ablation.cells import (
    Cell,
    cells_of,
    groups_of,
    inputs,
    toybox_folder,
    weights_of,
)
from engine.toybox.reference_ablation.measure import measure_cell
from engine.toybox.reference_ablation.report import document, gather, markdown
from engine.toybox.reference_ablation.sheet import write_sheet

OBJECTS, SEEDS, REFINE_STEPS = 12, 3, 16
QUICK_OBJECTS, QUICK_SEEDS, QUICK_REFINE_STEPS = 3, 1, 12
"""Short runs, of some six seconds of CPU time: what no picture shows is decided in the draft and early in
refining.
"""

GATED = 12
"""Held-out objects, the first ones, on which the thresholds of the automatic gate were chosen; none of them
is measured here.
"""

PRESETS = {PICTURE: "reference-image", WORDS: "reference-text"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that only ``--references`` takes."""
    group = parser.add_argument_group(
        "comparing references", "with --references; --objects is then the number of objects"
    )
    group.add_argument(
        "--references",
        nargs="?",
        const="all",
        metavar="NAME,NAME",
        help=f"compare these, or all: {', '.join(KINDS)}",
    )
    group.add_argument(
        "--controllers",
        nargs="+",
        default=[],
        metavar="NAME=FOLDER",
        help="controllers to compare with the prior's own",
    )
    group.add_argument(
        "--by", choices=(PICTURE, WORDS), help=f"what is given of an object (default {PICTURE})"
    )


def check_options(options: argparse.Namespace) -> None:
    """Raise InputError for options that do not go together."""
    for name in ("controllers", "by"):
        if options.references is None and getattr(options, name):
            raise InputError(f"--{name} needs --references.", "Add --references.")
    if options.references is not None and (options.methods is not None or options.only is not None):
        raise InputError("--references is a comparison of its own.", "Leave --methods and --only away.")


def compare(options: argparse.Namespace, changes: Mapping[str, str], progress: Progress) -> None:
    """Measure what is not there yet, print the table, and write what was asked for. Raises StudioError."""
    began = time.monotonic()
    cells, folder = chosen_cells(options, changes), options.out or Path("references-table")
    store.begin(folder, options.resume)
    outcomes = measured(cells, measure_cell, store, folder, options.processes, progress)
    lines = gather(cells, outcomes)
    report = conditions(options, cells, time.monotonic() - began)
    table = f"{caption(report)}\n\n{markdown(lines)}"
    print(table)
    if options.json is not None:
        with storage_errors(options.json):
            options.json.write_text(json.dumps(document(lines, report), indent=2) + "\n", encoding="utf-8")
    if options.sheet is not None:
        write_sheet(options.sheet, cells, outcomes)
    if options.readme is not None:
        put_between_markers(options.readme, "references", table)


def chosen_cells(options: argparse.Namespace, changes: Mapping[str, str]) -> tuple[Cell, ...]:
    """The cells that the options mean. Raises InputError for names that do not exist."""
    objects = options.objects or (QUICK_OBJECTS if options.quick else OBJECTS)
    seeds = options.seeds or (QUICK_SEEDS if options.quick else SEEDS)
    if min(objects, seeds, options.processes) < 1:
        raise InputError(
            "The comparison was asked for fewer than one object, seed or process.",
            "Give numbers of 1 or more.",
        )
    kinds = KINDS if options.references == "all" else names_in(options.references, "reference", KINDS)
    groups = groups_of(controllers_in(options.controllers), kinds)
    settings = settings_for(options, changes)
    return cells_of(
        groups,
        image_tasks(GATED + objects)[GATED:],
        seeds,
        options.by or PICTURE,
        settings,
        settings.spec.prior,
    )


def settings_for(options: argparse.Namespace, changes: Mapping[str, str]) -> Settings:
    """The preset for references, refined for a few steps, with what the command line changes."""
    settings = apply_preset(find_preset(PRESETS[options.by or PICTURE]), Settings(RunSpec("a toy"), Knobs()))
    steps = QUICK_REFINE_STEPS if options.quick else REFINE_STEPS
    settings = replace(settings, spec=replace(settings.spec, refine_steps=steps))
    values = {name: value for name in ("prior", "scene") if (value := getattr(options, name)) is not None}
    return with_values(settings, {**values, **changes})


def controllers_in(given: Sequence[str]) -> dict[str, Path]:
    """Folders by name, from ``NAME=FOLDER``. Raises InputError."""
    pairs = [text.partition("=") for text in given]
    if any(not (name and folder) for name, _, folder in pairs):
        raise InputError(
            "--controllers needs NAME=FOLDER.", 'Write for example --controllers "no meta=plain".'
        )
    return {name: Path(folder) for name, _, folder in pairs}


def conditions(options: argparse.Namespace, cells: Sequence[Cell], wall_seconds: float) -> dict[str, Any]:
    """Under what the numbers were measured."""
    settings = cells[0].settings
    folder = toybox_folder(settings.spec.prior)
    wanted = {
        name: value
        for name, value in flatten(settings).items()
        if name not in ("prompt", "negative_prompt", "seed")
    }
    return {
        "objects": len({cell.task.index for cell in cells}),
        "object_seeds": sorted({cell.task.seed for cell in cells}),
        "seeds": len({cell.seed for cell in cells}),
        "by": cells[0].by,
        "weights": {
            "prior": weights_of(folder, None),
            **{
                name: weights_of(folder, place) for name, place in controllers_in(options.controllers).items()
            },
        },
        "settings": wanted,
        "processes": options.processes,
        "wall_seconds": round(wall_seconds, 1),
    }


def caption(report: Mapping[str, Any]) -> str:
    """What was measured, in a sentence."""
    return (
        f"{report['objects']} objects never trained on and not on the shelf, from {inputs(report['by'])}, "
        f"{report['seeds']} seeds "
        f"(± is their spread), {report['settings']['refine_steps']} refine steps; 20 other cameras. Chamfer "
        "and F-score (at 0.05) "
        "in units of the longest side of the object's box."
    )
