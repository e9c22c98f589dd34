"""The contact sheet: methods down, guidance scales across, each picture with its numbers and the curve of its
loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from engine.assets.export.lettering import CARD, FAINT, INK, PAGE, SOFT, clipped, font, wrapped
from engine.guidance import methods
from engine.playground.grid import Cell, Grid
from engine.playground.painting import FRAMES, SIZE, Painting

CURVE = (206, 92, 60)
MARGIN, GUTTER, LABEL_WIDTH = 40, 20, 250
HEADER, COLUMN_HEADER, CAPTION, ROW_GAP = 104, 34, 62, 22
TITLE_SIZE, METHOD_SIZE, TEXT_SIZE, SMALL_SIZE = 32, 24, 15, 14
CURVE_HEIGHT, RADIUS, SMOOTHING = 20, 10, 0.06


def compose(grid: Grid, paintings: Sequence[Painting], share: float = 1.0) -> np.ndarray:
    """The sheet (H,W,3) uint8 when each cell was at ``share`` 0..1 of its way; cells that are not painted yet
    stay empty.
    """
    by_key = {painting.cell.key: painting for painting in paintings}
    columns, rows = len(grid.guidance_scales), len(grid.methods)
    width = max(2 * MARGIN + LABEL_WIDTH + columns * (SIZE + GUTTER) - GUTTER, 2 * MARGIN + 560)
    height = MARGIN + HEADER + COLUMN_HEADER + rows * (SIZE + CAPTION + ROW_GAP) - ROW_GAP + MARGIN
    sheet = Image.new("RGB", (width, height), PAGE)
    _draw_header(sheet, grid)
    for number, cell in enumerate(grid.cells()):
        row, column = divmod(number, columns)
        left = MARGIN + LABEL_WIDTH + column * (SIZE + GUTTER)
        top = MARGIN + HEADER + COLUMN_HEADER + row * (SIZE + CAPTION + ROW_GAP)
        if row == 0:
            _centred(
                sheet, left, top - COLUMN_HEADER, f"guidance {cell.guidance_scale:g}", TEXT_SIZE + 2, INK
            )
        if column == 0:
            own = [
                painting for painting in paintings if painting.cell.method == cell.method and painting.numbers
            ]
            _draw_label(sheet, top, cell, own)
        _draw_cell(sheet, left, top, by_key.get(cell.key), share)
    return np.asarray(sheet)


def film(
    grid: Grid, paintings: Sequence[Painting], frames: int = FRAMES, rest: int = 12
) -> Iterator[np.ndarray]:
    """The sheet while the pictures come into being, then ``rest`` frames of the end."""
    for number in range(frames):
        yield compose(grid, paintings, (number + 1) / frames)
    last = compose(grid, paintings)
    for _ in range(rest):
        yield last


def _draw_header(sheet: Image.Image, grid: Grid) -> None:
    spec, pen = grid.base.spec, ImageDraw.Draw(sheet)
    title = clipped(f"“{spec.prompt}”", TITLE_SIZE, sheet.width - 2 * MARGIN)
    pen.text((MARGIN, MARGIN - 6), title, fill=INK, font=font(TITLE_SIZE))
    steps = grid.changes.get("refine_steps", spec.refine_steps)
    facts = [
        f"prior {spec.prior}",
        f"{steps} steps",
        f"seed {spec.seed}",
        f"one picture of {spec.render_size} px a cell, from noise",
    ]
    facts += [f"{name} = {value}" for name, value in grid.changes.items() if name != "refine_steps"]
    facts.append("red line: the loss, on a scale of its own")
    pen.text(
        (MARGIN, MARGIN + 42),
        clipped(" · ".join(facts), TEXT_SIZE, sheet.width - 2 * MARGIN),
        fill=SOFT,
        font=font(TEXT_SIZE),
    )
    pen.line([(MARGIN, MARGIN + 78), (sheet.width - MARGIN, MARGIN + 78)], fill=FAINT, width=2)


def _draw_label(sheet: Image.Image, top: int, cell: Cell, painted: Sequence[Painting]) -> None:
    """The method's name, what it does, and what a step of it costs."""
    method, pen = methods()[cell.method], ImageDraw.Draw(sheet)
    pen.text((MARGIN, top + 2), method.title, fill=INK, font=font(METHOD_SIZE))
    lines = wrapped(method.sentence, TEXT_SIZE, LABEL_WIDTH - 28)[:5]
    for number, line in enumerate(lines):
        pen.text((MARGIN, top + 38 + 20 * number), line, fill=SOFT, font=font(TEXT_SIZE))
    if painted:
        below = top + 38 + 20 * len(lines) + 8
        pen.text((MARGIN, below), _cost(painted), fill=INK, font=font(SMALL_SIZE))


def _cost(painted: Sequence[Painting]) -> str:
    """Passes through the denoiser for a step, the most of the row."""
    forwards, backwards = (
        max(one.numbers[f"{way}_per_step"] for one in painted) for way in ("forwards", "backwards")
    )
    words = f"{forwards:.3g} passes" + (f" and {backwards:.2g} back" if backwards else "")
    return f"{words} a step"


def _draw_cell(sheet: Image.Image, left: int, top: int, painting: Painting | None, share: float) -> None:
    if painting is None or painting.trouble:
        _card(sheet, left, top, np.full((SIZE, SIZE, 3), CARD, np.uint8))
        _draw_words(sheet, left, top, "not painted yet" if painting is None else painting.trouble)
        return
    _card(sheet, left, top, painting.frames[_frame_at(painting, share)])
    numbers = painting.numbers
    pen = ImageDraw.Draw(sheet)
    words = f"saturation {numbers['saturation']:.2f} · {numbers['seconds']:.1f} s"
    pen.text((left + 2, top + SIZE + 8), words, fill=INK, font=font(SMALL_SIZE))
    _draw_curve(
        pen,
        left + 2,
        top + SIZE + 32,
        painting.losses[: max(2, round(share * len(painting.losses)))],
        len(painting.losses),
    )
    if painting.notes:
        pen.text((left + 8, top + SIZE - 24), "rolled back", fill=CURVE, font=font(SMALL_SIZE))


def _frame_at(painting: Painting, share: float) -> int:
    """The last frame that was there at ``share`` of the steps."""
    reached = share * painting.frame_steps[-1] + 1e-9
    return max(0, int(np.searchsorted(painting.frame_steps, reached, side="right")) - 1)


def _card(sheet: Image.Image, left: int, top: int, picture: np.ndarray) -> None:
    """A picture with round corners."""
    sheet.paste(Image.fromarray(picture), (left, top), _round_mask())


@lru_cache(maxsize=1)
def _round_mask() -> Image.Image:
    fine = Image.new("L", (4 * SIZE, 4 * SIZE), 0)
    ImageDraw.Draw(fine).rounded_rectangle((0, 0, 4 * SIZE - 1, 4 * SIZE - 1), 4 * RADIUS, fill=255)
    return fine.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def _draw_curve(pen: ImageDraw.ImageDraw, left: int, top: int, losses: np.ndarray, steps: int) -> None:
    """The loss from first to last step on a logarithmic scale of its own."""
    pen.line([(left, top + CURVE_HEIGHT), (left + SIZE - 4, top + CURVE_HEIGHT)], fill=FAINT)
    values = _smooth(np.log(np.maximum(losses[np.isfinite(losses)], 1e-12)), max(1, round(SMOOTHING * steps)))
    if len(values) < 2:
        return
    low, high = float(values.min()), float(values.max())
    height = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    across = left + np.arange(len(values)) / max(1, steps - 1) * (SIZE - 4)
    pen.line(
        [(x, top + CURVE_HEIGHT * (1 - y)) for x, y in zip(across, height)],
        fill=CURVE,
        width=2,
        joint="curve",
    )


def _smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Moving means over ``width`` values, fewer at the ends."""
    kernel = np.ones(min(width, len(values)))
    return (
        np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")
        if len(values)
        else values
    )


def _draw_words(sheet: Image.Image, left: int, top: int, words: str) -> None:
    lines = wrapped(words, SMALL_SIZE, SIZE - 24)[:8]
    first = top + (SIZE - 18 * len(lines)) // 2
    for number, line in enumerate(lines):
        _centred(sheet, left, first + 18 * number, line, SMALL_SIZE, SOFT)


def _centred(
    sheet: Image.Image, left: int, top: int, words: str, size: int, colour: tuple[int, int, int]
) -> None:
    ImageDraw.Draw(sheet).text((left + SIZE / 2, top), words, fill=colour, font=font(size), anchor="ma")
