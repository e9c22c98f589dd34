"""The comparison to look at: a row for each line of the table, a column for each prompt, three sides of each object."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.errors import storage_errors
from engine.guidance import methods
from engine.loop.frames import PAPER
from engine.toybox.benchmark.sheet import INK, LINE
from engine.toybox.method_sweep.cells import Cell
from engine.toybox.method_sweep.measure import Outcome

SIDES = (0, 2, 4)  # of the eight azimuths: the front, the left and the back
SIDE, GAP, MARGIN = 80, 16, 24
LABEL, HEAD, TEXT_SIZE = 190, 52, 16


def write_sheet(path: Path, cells: Sequence[Cell], outcomes: Mapping[str, Outcome]) -> None:
    """Write a PNG of every row's first seed. Raises StorageError."""
    sheet = compose(cells, outcomes)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(path, optimize=True)


def compose(cells: Sequence[Cell], outcomes: Mapping[str, Outcome]) -> Image.Image:
    """The sheet as a picture; places whose cell is not there, or failed, stay empty."""
    rows, prompts = list(dict.fromkeys(c.row for c in cells)), list(dict.fromkeys((c.task.index, c.task.prompt) for c in cells))
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
