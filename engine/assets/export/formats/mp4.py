"""A film as MP4: a turn, or along a camera path, over the light ground of the sheets."""

from __future__ import annotations

from pathlib import Path

from engine.assets.export.formats.base import FILM_OPTIONS, ExportFormat, ExportOptions, FilmContent
from engine.assets.export.formats.counting import pictures_of_film
from engine.assets.export.sheet import over_paper
from engine.assets.export.video import write_video


def write(path: Path, content: FilmContent, options: ExportOptions) -> None:
    """Write it."""
    write_video(path, (over_paper(frame) for frame in content.frames), fps=options.fps, recipe=options.recipe)


FORMAT = ExportFormat(
    title="MP4",
    suffix=".mp4",
    content="film",
    write=write,
    count=pictures_of_film,
    bytes_each=0.05,
    help="A film that plays everywhere: a turn, or a camera path.",
    options=FILM_OPTIONS,
)
