"""``python -m engine.toybox.benchmark --methods all``: every guidance method on both scenes.

Each run begins with a ball: the method alone must make the object, because a draft would hide what methods do differently. The
same prompts and seeds go to all, in workers; what is done is kept in a folder, so that a comparison that was ended can go on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.errors import InputError, storage_errors
from engine.guidance import methods
from engine.toybox.benchmark.readme import put_between_markers
from engine.toybox.benchmark.tasks import front_tasks
from engine.toybox.method_sweep import store
from engine.toybox.method_sweep.cells import SCENES, Cell, cells_of, rows_of, weights_digest
from engine.toybox.method_sweep.measure import measure_cell
from engine.toybox.method_sweep.measuring import Progress, measured, names_in
from engine.toybox.method_sweep.report import document, gather, markdown
from engine.toybox.method_sweep.sheet import write_sheet

PROMPTS, SEEDS = 4, 2
QUICK_PROMPTS, QUICK_STEPS = 2, 40


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that ``--methods`` takes; those of what is kept are shared with ``--references``."""
    group = parser.add_argument_group("comparing guidance methods", "with --methods; --objects is then the number of prompts")
    group.add_argument("--methods", metavar="all|NAME,NAME", help=f"compare these: {', '.join(methods())}")
    group.add_argument("--scenes", metavar="NAME,NAME", help=f"on these scenes (default {','.join(SCENES)})")
    group.add_argument(
        "--seeds", type=int, metavar="N", help=f"runs of each prompt (default {SEEDS}), or of each object under each reference"
    )
    group.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where what is done is kept (default methods-table or references-table)"
    )
    group.add_argument("--resume", action="store_true", help="go on with what --out holds of the same settings and weights")


def check_options(options: argparse.Namespace) -> None:
    """Raise InputError for options that do not go together."""
    only_here = ("scenes",) if options.references is not None else ("scenes", "seeds", "out", "resume")
    given = [name for name in only_here if getattr(options, name)]
    if options.methods is None and given:
        raise InputError(f"--{given[0]} needs --methods.", "Add --methods all.")
    if options.methods is not None and options.scene is not None:
        raise InputError("--scene is for the other benchmark.", f"Write --scenes {options.scene}.")
    if options.methods is not None and options.only is not None:
        raise InputError("--only is for the other benchmark.", "Leave it away.")


def compare(options: argparse.Namespace, changes: dict[str, Any], progress: Progress) -> None:
    """Measure what is not there yet, print the table, and write what was asked for. Raises StudioError."""
    began = time.monotonic()
    cells, folder = asked_cells(options, changes), options.out or Path("methods-table")
    store.begin(folder, options.resume)
    outcomes = measured(cells, measure_cell, store, folder, options.processes, progress)
    lines = gather(cells, outcomes)
    table = markdown(lines)
    print(table)
    if options.json is not None:
        told = document(lines, _conditions(options, cells, time.monotonic() - began))
        with storage_errors(options.json):
            options.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    if options.sheet is not None:
        write_sheet(options.sheet, cells, outcomes)
    if options.readme is not None:
        put_between_markers(options.readme, "methods", table)


def asked_cells(options: argparse.Namespace, changes: dict[str, Any]) -> tuple[Cell, ...]:
    """The cells that the options mean. Raises InputError for names that do not exist."""
    names = tuple(methods()) if options.methods == "all" else names_in(options.methods, "method", tuple(methods()))
    scenes = names_in(options.scenes, "scene", SCENES) if options.scenes else SCENES
    prompts = options.objects or (QUICK_PROMPTS if options.quick else PROMPTS)
    seeds = SEEDS if options.seeds is None else options.seeds
    if min(prompts, seeds, options.processes) < 1:
        raise InputError("The comparison was asked for fewer than one prompt, seed or process.", "Give numbers of 1 or more.")
    fewer = {"refine_steps": QUICK_STEPS} if options.quick else {}
    return cells_of(rows_of(names, scenes), front_tasks(prompts), seeds, {**fewer, **changes}, options.prior or "toybox")


def _conditions(options: argparse.Namespace, cells: Sequence[Cell], wall_seconds: float) -> dict[str, Any]:
    prior = options.prior or "toybox"
    return {
        "prompts": list(dict.fromkeys(cell.task.prompt for cell in cells)),
        "seeds": SEEDS if options.seeds is None else options.seeds,
        "prior": prior,
        "weights": weights_digest(prior),
        "processes": options.processes,
        "wall_seconds": round(wall_seconds, 1),
    }
