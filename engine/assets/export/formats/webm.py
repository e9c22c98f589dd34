"""A film as WebM (VP9) with transparency."""

from __future__ import annotations

from pathlib import Path

from engine.assets.export.formats.base import FILM_OPTIONS, ExportFormat, ExportOptions, FilmContent
from engine.assets.export.formats.counting import pictures_of_film
from engine.assets.export.stills import straight
from engine.assets.export.video import write_alpha_video


def write(path: Path, content: FilmContent, options: ExportOptions) -> None:
    """Write it."""
    write_alpha_video(path, map(straight, content.frames), fps=options.fps, recipe=options.recipe)


FORMAT = ExportFormat(
    title="WebM with transparency",
    suffix=".webm",
    content="film",
    write=write,
    count=pictures_of_film,
    bytes_each=0.05,
    help="For web pages and video editors: a film without a background.",
    options=FILM_OPTIONS,
)
