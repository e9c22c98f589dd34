"""``python -m engine.toybox.benchmark --methods all``: every guidance method on both scenes.

Each run begins with a ball: the method alone must make the object, because a draft would hide what methods do
differently. The same prompts and seeds go to all, in workers; what is done is kept in a folder, so that a
comparison that was ended can go on.
"""

from __future__ import annotations

import argparse
import json
import textwrap
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.errors import InputError, storage_errors
from engine.guidance import methods
from engine.loop.frames import PAPER
from engine.toybox.benchmark.readme import put_between_markers
from engine.toybox.benchmark.sheet import INK, LINE
from engine.toybox.benchmark.tasks import front_tasks
from engine.toybox.method_sweep import store
from engine.toybox.method_sweep.cells import SCENES, Cell, cells_of, rows_of, weights_digest
from engine.toybox.method_sweep.measure import Outcome, measure_cell
from engine.toybox.method_sweep.measuring import Progress, measured, names_in
from engine.toybox.method_sweep.report import document, gather, markdown

SIDES = (0, 2, 4)  # of the eight azimuths: the front, the left and the back
SIDE, GAP, MARGIN = 80, 16, 24
LABEL, HEAD, TEXT_SIZE = 190, 52, 16

PROMPTS, SEEDS = 4, 2
QUICK_PROMPTS, QUICK_STEPS = 2, 40


def write_sheet(path: Path, cells: Sequence[Cell], outcomes: Mapping[str, Outcome]) -> None:
    """Write a PNG of every row's first seed. Raises StorageError."""
    sheet = compose(cells, outcomes)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(path, optimize=True)


def compose(cells: Sequence[Cell], outcomes: Mapping[str, Outcome]) -> Image.Image:
    """The sheet as a picture; places whose cell is not there, or failed, stay empty."""
    rows, prompts = (
        list(dict.fromkeys(c.row for c in cells)),
        list(dict.fromkeys((c.task.index, c.task.prompt) for c in cells)),
    )
    width = len(SIDES) * SIDE
    canvas = (2 * MARGIN + LABEL + len(prompts) * (width + GAP), 2 * MARGIN + HEAD + len(rows) * SIDE)
    sheet = Image.new("RGB", canvas, tuple(round(255 * channel) for channel in PAPER))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(TEXT_SIZE)
    for column, (_, prompt) in enumerate(prompts):
        place = (MARGIN + LABEL + column * (width + GAP), MARGIN)
        pen.text(place, "\n".join(textwrap.wrap(prompt, width // 8)[:2]), fill=INK, font=font)
    first = {cell.row: cell for cell in reversed(cells)}
    for number, row in enumerate(rows):
        top = MARGIN + HEAD + number * SIDE
        pen.line([(MARGIN, top), (canvas[0] - MARGIN, top)], fill=LINE)
        pen.text((MARGIN, top + SIDE // 4), label(first[row]), fill=INK, font=font)
    places = {index: column for column, (index, _) in enumerate(prompts)}
    for cell in cells:
        outcome = outcomes.get(cell.key)
        if cell.seed == 0 and outcome is not None and outcome.verdict is not None:
            left = MARGIN + LABEL + places[cell.task.index] * (width + GAP)
            sheet.paste(_picture(outcome.views), (left, MARGIN + HEAD + rows.index(cell.row) * SIDE + 1))
    return sheet


def label(cell: Cell) -> str:
    """What stands at the beginning of a row: a method with its guidance, or a reference, and the scene."""
    name, scene = cell.row.name, cell.row.scene
    if name not in methods():
        return f"{name}\n{scene}"
    assert cell.settings is not None, "what has a method has settings"
    guidance = cell.settings.knobs.guidance
    return f"{guidance.title}\n{scene} · {guidance.guidance_scale:g}"


def _picture(views: np.ndarray) -> Image.Image:
    """Three of the views (8,S,S,4) side by side over paper."""
    rgba = np.concatenate([views[side] for side in SIDES], axis=1) / 255
    rgb = rgba[..., :3] + (1 - rgba[..., 3:]) * np.array(PAPER)
    small = Image.fromarray((rgb.clip(0, 1) * 255).round().astype(np.uint8))
    return small.resize((len(SIDES) * SIDE, SIDE - 1), Image.Resampling.LANCZOS)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that ``--methods`` takes; those of what is kept are shared with ``--references``."""
    group = parser.add_argument_group(
        "comparing guidance methods", "with --methods; --objects is then the number of prompts"
    )
    group.add_argument("--methods", metavar="all|NAME,NAME", help=f"compare these: {', '.join(methods())}")
    group.add_argument("--scenes", metavar="NAME,NAME", help=f"on these scenes (default {','.join(SCENES)})")
    group.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help=f"runs of each prompt (default {SEEDS}), or of each object under each reference",
    )
    group.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where what is done is kept (default methods-table or references-table)",
    )
    group.add_argument(
        "--resume", action="store_true", help="go on with what --out holds of the same settings and weights"
    )


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
    cells, folder = chosen_cells(options, changes), options.out or Path("methods-table")
    store.begin(folder, options.resume)
    outcomes = measured(cells, measure_cell, store, folder, options.processes, progress)
    lines = gather(cells, outcomes)
    table = markdown(lines)
    print(table)
    if options.json is not None:
        report = document(lines, _conditions(options, cells, time.monotonic() - began))
        with storage_errors(options.json):
            options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if options.sheet is not None:
        write_sheet(options.sheet, cells, outcomes)
    if options.readme is not None:
        put_between_markers(options.readme, "methods", table)


def chosen_cells(options: argparse.Namespace, changes: dict[str, Any]) -> tuple[Cell, ...]:
    """The cells that the options mean. Raises InputError for names that do not exist."""
    names = (
        tuple(methods())
        if options.methods == "all"
        else names_in(options.methods, "method", tuple(methods()))
    )
    scenes = names_in(options.scenes, "scene", SCENES) if options.scenes else SCENES
    prompts = options.objects or (QUICK_PROMPTS if options.quick else PROMPTS)
    seeds = SEEDS if options.seeds is None else options.seeds
    if min(prompts, seeds, options.processes) < 1:
        raise InputError(
            "The comparison was asked for fewer than one prompt, seed or process.",
            "Give numbers of 1 or more.",
        )
    fewer = {"refine_steps": QUICK_STEPS} if options.quick else {}
    return cells_of(
        rows_of(names, scenes), front_tasks(prompts), seeds, {**fewer, **changes}, options.prior or "toybox"
    )


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
