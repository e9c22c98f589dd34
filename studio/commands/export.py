"""The command ``export``: a finished result, a splat file or a mesh, in another format."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.errors import InputError, storage_errors
from studio.messages import size_words

OPTION_NAMES = ("size_m", "up", "origin", "faces", "texture_size", "frames", "fps", "frame_size", "layer", "name")


def add_export(commands: argparse._SubParsersAction) -> None:
    """Declare the command and its options."""
    parser = commands.add_parser(
        "export",
        help="write a result, splats or a mesh in another format",
        description="Write a finished result, a splat file or a mesh in another format; without --format, list the formats.",
    )
    parser.add_argument("source", nargs="?", type=Path, metavar="RESULT|FILE", help="a result's folder, a splat file or a mesh")
    parser.add_argument("--format", metavar="F", help="which format (python -m studio export lists them)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file (default: beside the source, named after the format)")
    parser.add_argument("--size-m", type=float, metavar="M", help="longest side in metres (printing: 0.1 unless given)")
    parser.add_argument("--up", choices=("y", "z"), help="which axis is up (default: the format's usual one)")
    parser.add_argument("--origin", choices=("base", "centre"), help="where the origin is (default: base)")
    parser.add_argument("--faces", type=int, metavar="N", help="most triangles (default 20000)")
    parser.add_argument("--texture-size", type=int, metavar="PX", help="texels a side (default 1024)")
    parser.add_argument("--frames", type=int, metavar="N", help="pictures of a film (default 72)")
    parser.add_argument("--fps", type=int, metavar="N", help="pictures a second (default 24)")
    parser.add_argument("--frame-size", type=int, metavar="PX", help="side of a film's pictures (default 320)")
    parser.add_argument("--path", type=Path, metavar="FILE.json", help="a camera path instead of one turn (see camera_path.py)")
    parser.add_argument("--layer", choices=("colour", "depth", "normal", "alpha"), help="what pictures show (default: colour)")
    parser.add_argument("--name", help="what the object is called in the file (default: its words)")
    parser.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int | None:
    if options.format is None:
        return _list()
    from engine.assets.export.formats.base import ExportOptions
    from engine.loop.exporting import export, format_named

    if options.source is None:
        raise InputError("There is nothing to export.", "Give the folder of a result, a splat file or a mesh.")
    given = {name: value for name in OPTION_NAMES if (value := getattr(options, name)) is not None}
    if options.path is not None:
        given["path"] = _text(options.path)
    chosen, settled = format_named(options.format), ExportOptions(**given)
    out = options.out or _beside(options.source, chosen.suffix)
    done = export(options.source, options.format, settled, out)
    for note in done.notes:
        print(f"note: {note}")
    print(f"{done.path}  {size_words(done.path.stat().st_size)}")
    return None


def _list() -> int | None:
    from engine.assets.export.formats import export_formats

    for key, each in export_formats().items():
        missing = "" if each.available else f"  (not installed: {each.remedy})"
        print(f"{key:<16}{each.title:<24}{each.help}{missing}")
    return None


def _text(path: Path) -> str:
    with storage_errors(path):
        return path.read_text(encoding="utf-8")


def _beside(source: Path, suffix: str) -> Path:
    """Where a file goes that was given no name; never over the source itself."""
    return source / f"export{suffix}" if source.is_dir() else source.with_name(f"{source.stem}-export{suffix}")
