"""An animated picture as WebP with transparency."""

from __future__ import annotations

from pathlib import Path

from engine.assets.export.formats.base import FILM_OPTIONS, ExportFormat, ExportOptions, FilmContent
from engine.assets.export.formats.counting import pictures_of_animation
from engine.assets.export.stills import animation, straight


def write(path: Path, content: FilmContent, options: ExportOptions) -> None:
    """Write it, the recipe as EXIF description."""
    animation(
        path,
        list(map(straight, content.frames)),
        "WEBP",
        options.fps,
        options.recipe,
        quality=85,
        method=3,
        allow_mixed=True,
    )


FORMAT = ExportFormat(
    title="Animated WebP",
    suffix=".webp",
    content="film",
    write=write,
    count=pictures_of_animation,
    bytes_each=0.08,
    help="A turning picture without a background, for web pages and chats.",
    options=FILM_OPTIONS,
)
