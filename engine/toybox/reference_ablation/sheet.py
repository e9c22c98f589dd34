"""Twelve cases to look at: the picture that was given, the reference, and what came out without it, with it,
and in truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from engine.assets.export.lettering import clipped, font
from engine.assets.meshes.render_maps import pictures_of
from engine.errors import storage_errors
from engine.loop.frames import PAPER
from engine.toybox.benchmark.reference_choice import NONE, RANDOM, TRUTH, WORDS, given_picture, shape_for
from engine.toybox.benchmark.sheet import INK, LINE
from engine.toybox.reference_ablation.cells import SHIPPED, Cell
from engine.toybox.reference_ablation.measure import SHOWN_SIDE, Outcome, over_paper, true_pictures
from engine.toybox.reference_ablation.report import TITLES

CASES, COLUMNS = 12, 2
TURN = ("top-1", TRUTH, "top-1", RANDOM)
"""Which reference a case shows, in turn."""
SIDE, GAP, GUTTER, MARGIN = 112, 14, 52, 36
TEXT, SMALL, HEAD, TOP = 17, 15, 34, 30
SOFT, CLAY = (122, 118, 110), 0.72


@dataclass(frozen=True, eq=False)
class Case:
    """A row of five groups of pictures, (S,S,3) uint8 each, under one line of words."""

    title: str
    facts: str
    panels: tuple[tuple[np.ndarray, ...], ...]


PANELS = ("given", "reference", "without", "with", "truth")
PANEL_VIEWS = (1, 1, 2, 2, 2)


def write_sheet(path: Path, cells: Sequence[Cell], outcomes: Mapping[str, Outcome]) -> None:
    """Write a picture (JPEG or PNG, by its name) of at most twelve cases, if there are any. Raises
    StorageError.
    """
    cases = list(cases_of(cells, outcomes))
    if not cases:
        return
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        compose(cases).save(path, quality=90, optimize=True)


def cases_of(cells: Sequence[Cell], outcomes: Mapping[str, Outcome]) -> Iterator[Case]:
    """The first seed of each object, the references in turn; objects with nothing to compare are left out."""
    made = {
        (cell.task.index, cell.row.reference): cell
        for cell in cells
        if cell.row.group == SHIPPED and not cell.seed
    }
    kinds = [kind for kind in TURN if any(reference == kind for _, reference in made)]
    for number, index in enumerate(sorted({index for index, _ in made})[:CASES] if kinds else ()):
        plain, guided = (made.get((index, kind)) for kind in (NONE, kinds[number % len(kinds)]))
        if plain is None or guided is None:
            continue
        without, with_ = outcomes.get(plain.key), outcomes.get(guided.key)
        if without is not None and with_ is not None and without.numbers and with_.numbers:
            yield _case(guided, without, with_)


def _case(cell: Cell, without: Outcome, with_: Outcome) -> Case:
    task, shape = cell.task, shape_for(with_.reference, cell.task)
    clay = replace(shape, face_colours=np.full_like(shape.face_colours, CLAY))  # only the shape is told
    reference = pictures_of(clay, np.array([task.azimuth_deg]), task.elevation_deg, SHOWN_SIDE)[0]
    given = (
        over_paper(np.zeros((SHOWN_SIDE, SHOWN_SIDE, 4)))
        if cell.by == WORDS
        else over_paper(given_picture(task, SHOWN_SIDE))
    )
    panels = (
        (given,),
        (over_paper(reference),),
        tuple(without.views),
        tuple(with_.views),
        tuple(true_pictures(task)),
    )
    title = f"{task.object.kind} · {TITLES.get(cell.row.reference, 'retrieved')} reference"
    return Case(
        title.replace("the true object reference", "itself as the reference"), _facts(without, with_), panels
    )


def _facts(without: Outcome, with_: Outcome) -> str:
    gate = f"gate {with_.numbers['gate']:.2f} · " if "gate" in with_.numbers else ""
    return f"{gate}{without.numbers['psnr']:.1f} dB without, {with_.numbers['psnr']:.1f} dB with"


def compose(cases: Sequence[Case]) -> Image.Image:
    """The sheet: cases run down the columns."""
    columns = min(COLUMNS, len(cases))
    rows = -(-len(cases) // columns)
    width, height = sum(PANEL_VIEWS) * SIDE + (len(PANELS) - 1) * GAP, HEAD + SIDE + GAP
    canvas = (2 * MARGIN + columns * width + (columns - 1) * GUTTER, 2 * MARGIN + TOP + rows * height)
    sheet = Image.new("RGB", canvas, tuple(round(255 * channel) for channel in PAPER))
    for number, case in enumerate(cases):
        column, row = divmod(number, rows)
        left = MARGIN + column * (width + GUTTER)
        if not row:
            _headings(sheet, left)
        _draw(sheet, case, left, MARGIN + TOP + row * height, width)
    return sheet


def _lefts(left: int) -> list[int]:
    """Where each group of pictures begins."""
    return [left + sum(PANEL_VIEWS[:panel]) * SIDE + panel * GAP for panel in range(len(PANELS))]


def _headings(sheet: Image.Image, left: int) -> None:
    pen = ImageDraw.Draw(sheet)
    for name, x in zip(PANELS, _lefts(left), strict=True):
        pen.text((x + 4, MARGIN), name, fill=SOFT, font=font(SMALL))


def _draw(sheet: Image.Image, case: Case, left: int, top: int, width: int) -> None:
    pen = ImageDraw.Draw(sheet)
    pen.line([(left, top), (left + width, top)], fill=LINE)
    room = int(font(SMALL).getlength(case.facts))
    pen.text((left + 4, top + 8), clipped(case.title, TEXT, width - room - 24), fill=INK, font=font(TEXT))
    pen.text((left + width - room - 4, top + 9), case.facts, fill=SOFT, font=font(SMALL))
    for views, x in zip(case.panels, _lefts(left), strict=True):
        for number, view in enumerate(views):
            small = Image.fromarray(view).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            sheet.paste(small, (x + number * SIDE, top + HEAD))
