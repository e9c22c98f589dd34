"""A contact sheet as PNG: even views all the way round, side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.assets.export.formats.base import ExportFormat, ExportOptions, FilmContent
from engine.assets.export.sheet import write_sheet
from engine.errors import InputError

MOST_VIEWS = 100


def write(path: Path, content: FilmContent, options: ExportOptions) -> None:
    """Write it. Raises `InputError` for more views than a sheet has room for."""
    if options.frames > MOST_VIEWS:
        raise InputError(
            f"A sheet of {options.frames} views is too large.", f"Choose at most {MOST_VIEWS}, or a film."
        )
    columns = max(1, round(options.frames**0.5 * 1.4))
    write_sheet(path, np.stack(list(content.frames)), columns=columns, recipe=options.recipe)


FORMAT = ExportFormat(
    title="PNG sheet",
    suffix=".png",
    content="film",
    write=write,
    bytes_each=0.6,
    help="Views all the way round in one picture; in colour, depth, normals or alpha.",
    options=("frames", "frame_size", "path", "layer", "background", "lamp"),
)
