"""The command ``export``: a finished result, a splat file or a mesh, in another format."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.layers import LAYERS
from engine.errors import InputError, storage_errors
from studio.messages import size_words

if TYPE_CHECKING:
    from engine.assets.export.formats.base import ExportOptions

OPTION_NAMES = (
    "size_m",
    "up",
    "origin",
    "faces",
    "texture_size",
    "frames",
    "fps",
    "frame_size",
    "layer",
    "background",
    "name",
)
TRIM_NAMES = ("least_opacity", "most_size", "most_stretch")
LAMP_NAMES = {"lamp": "strength", "lamp_azimuth_deg": "azimuth_deg", "lamp_elevation_deg": "elevation_deg"}


def add_export(commands: argparse._SubParsersAction) -> None:
    """Declare the command and its options."""
    parser = commands.add_parser(
        "export",
        help="write a result, splats or a mesh in another format",
        description="Write a finished result, a splat file or a mesh in another format; without --format, "
        "list the formats.",
    )
    parser.add_argument(
        "source",
        nargs="?",
        type=Path,
        metavar="RESULT|FILE",
        help="a result's folder, a splat file or a mesh",
    )
    parser.add_argument("--format", metavar="F", help="which format (python -m studio export lists them)")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the file (default: beside the source, named after the format)",
    )
    parser.add_argument(
        "--size-m", type=float, metavar="M", help="longest side in metres (printing: 0.1 unless given)"
    )
    parser.add_argument("--up", choices=("y", "z"), help="which axis is up (default: the format's usual one)")
    parser.add_argument("--origin", choices=("base", "centre"), help="where the origin is (default: base)")
    parser.add_argument("--faces", type=int, metavar="N", help="most triangles (default 20000)")
    parser.add_argument("--texture-size", type=int, metavar="PX", help="texels a side (default 1024)")
    parser.add_argument("--frames", type=int, metavar="N", help="pictures of a film (default 72)")
    parser.add_argument("--fps", type=int, metavar="N", help="pictures a second (default 24)")
    parser.add_argument(
        "--frame-size", type=int, metavar="PX", help="side of a film's pictures (default 320)"
    )
    parser.add_argument(
        "--path",
        type=Path,
        metavar="FILE.json",
        help="a camera path instead of one turn (see camera_path.py)",
    )
    _add_look(parser)
    _add_trim(parser)
    parser.add_argument("--name", help="what the object is called in the file (default: its words)")
    parser.set_defaults(command=_run)


def _add_look(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--layer", choices=LAYERS, help="what pictures show (default: colour)")
    parser.add_argument(
        "--background", metavar="#RRGGBB", help="ground of pictures and films (default: the format's own)"
    )
    parser.add_argument(
        "--lamp", type=float, metavar="0..1", help="how much of a film's light is a lamp's (default 0)"
    )
    parser.add_argument(
        "--lamp-azimuth-deg", type=float, metavar="DEG", help="from where it shines (default 45)"
    )
    parser.add_argument("--lamp-elevation-deg", type=float, metavar="DEG", help="how far above (default 50)")


def _add_trim(parser: argparse.ArgumentParser) -> None:
    box = ("LOW_X", "LOW_Y", "LOW_Z", "HIGH_X", "HIGH_Y", "HIGH_Z")
    crop_help = (
        "leave away what is outside of a box, in world units: the object lies within -1 to 1, x "
        "to its front, z up"
    )
    parser.add_argument("--crop", type=float, nargs=6, metavar=box, help=crop_help)
    parser.add_argument(
        "--least-opacity", type=float, metavar="0..1", help="leave away splats that cover less: haze"
    )
    parser.add_argument(
        "--most-size", type=float, metavar="UNITS", help="leave away splats that are larger: specks"
    )
    parser.add_argument(
        "--most-stretch",
        type=float,
        metavar="TIMES",
        help="leave away splats that are drawn out more: needles",
    )


def _run(options: argparse.Namespace) -> int | None:
    if options.format is None:
        return _list()
    from engine.loop.exporting import export, format_named

    if options.source is None:
        raise InputError(
            "There is nothing to export.", "Give the folder of a result, a splat file or a mesh."
        )
    chosen, settled = format_named(options.format), _options(options)
    out = options.out or _beside(options.source, chosen.suffix)
    done = export(options.source, options.format, settled, out)
    for note in done.notes:
        print(f"note: {note}")
    print(f"{done.path}  {size_words(done.path.stat().st_size)}")
    return None


def _options(options: argparse.Namespace) -> ExportOptions:
    """What the export sheet would send."""
    from engine.assets.export.formats.base import ExportOptions, Lamp, Trim

    given = {name: value for name in OPTION_NAMES if (value := getattr(options, name)) is not None}
    cuts = {name: value for name in TRIM_NAMES if (value := getattr(options, name)) is not None}
    light = {
        field: value for name, field in LAMP_NAMES.items() if (value := getattr(options, name)) is not None
    }
    path = "" if options.path is None else _text(options.path)
    return ExportOptions(
        **given, path=path, lamp=Lamp(**light), trim=Trim(box=tuple(options.crop or ()), **cuts)
    )


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
    return (
        source / f"export{suffix}" if source.is_dir() else source.with_name(f"{source.stem}-export{suffix}")
    )
