"""An animated picture as GIF, over the light ground of the sheets: it knows no half transparency."""

from __future__ import annotations

from pathlib import Path

from engine.assets.export.formats.base import FILM_OPTIONS, ExportFormat, ExportOptions, FilmContent
from engine.assets.export.formats.counting import pictures_of_animation
from engine.assets.export.sheet import over_paper
from engine.assets.export.stills import animation


def write(path: Path, content: FilmContent, options: ExportOptions) -> None:
    """Write it, the recipe as its comment."""
    animation(
        path,
        list(map(over_paper, content.frames)),
        "GIF",
        options.fps,
        options.recipe,
        optimize=True,
        disposal=1,
    )


FORMAT = ExportFormat(
    title="GIF",
    suffix=".gif",
    content="film",
    write=write,
    count=pictures_of_animation,
    bytes_each=0.25,
    help="A turning picture for old programs; large, and of 256 colours.",
    options=FILM_OPTIONS,
)
