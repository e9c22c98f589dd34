"""The commands that compare, judge and search: playground, evaluate, shelf."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.commands.elsewhere import add_makers, add_synchronisation


def add_playground(commands: argparse._SubParsersAction) -> None:
    playground = commands.add_parser(
        "playground",
        help="one picture under every guidance method, side by side",
        description="Optimise one flat picture under several guidance methods at several guidance scales, "
        "side by side. "
        "Finished cells are kept: the same command goes on where it was interrupted.",
    )
    playground.add_argument("--prompt", required=True, help='what to paint, for example "a red mug"')
    playground.add_argument(
        "--methods", default="all", help="methods with commas between them, or all (default %(default)s)"
    )
    playground.add_argument(
        "--guidance", default="1,2.5,7.5,20", help="guidance scales (default %(default)s)"
    )
    playground.add_argument(
        "--steps", type=int, default=100, help="steps for each picture (default %(default)s)"
    )
    playground.add_argument(
        "--prior", default="toybox", help="diffusion prior (python -m studio priors; default %(default)s)"
    )
    playground.add_argument("--seed", type=int, default=0, help="the same seed gives the same pictures")
    playground.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KNOB=VALUE",
        help="a setting for the methods that have it; may be repeated",
    )
    playground.add_argument(
        "--out", type=Path, default=Path("playground"), help="folder for the results (default %(default)s)"
    )
    playground.add_argument(
        "--film", action="store_true", help="also write film.mp4: how the pictures came to be"
    )
    playground.add_argument("--quiet", action="store_true", help="no progress bar")
    add_synchronisation(playground)
    playground.set_defaults(command=_playground)


def add_evaluate(commands: argparse._SubParsersAction) -> None:
    evaluate = commands.add_parser(
        "evaluate",
        help="make sets of prompts and judge the assets from all sides",
        description="Make an asset for each prompt, or find finished ones, and judge them from all sides: "
        "T3Bench's best region, "
        "best and worst azimuth, Janus rate. Made and judged assets are kept: the same command goes on "
        "where it stopped.",
    )
    evaluate.add_argument(
        "--prompts",
        nargs="+",
        default=["single", "surroundings", "multiple"],
        metavar="SET",
        help="single, surroundings, multiple (default: all three), or text files with one prompt a line, "
        "as T3Bench has them",
    )
    evaluate.add_argument(
        "--limit", type=int, default=0, metavar="N", help="only the first N prompts of each set"
    )
    evaluate.add_argument(
        "--results", type=Path, metavar="FOLDER", help="judge the finished runs in this folder, and make none"
    )
    evaluate.add_argument(
        "--scorer",
        default="toybox",
        help="who judges, with commas between them (default %(default)s; --list)",
    )
    evaluate.add_argument(
        "--viewpoints",
        choices=("studio", "t3bench"),
        default="studio",
        help="from where (t3bench: five fields of view, slower)",
    )
    evaluate.add_argument(
        "--preset", default="toybox-splats", help="settings to make assets with (default %(default)s)"
    )
    evaluate.add_argument("--seed", type=int, default=0, help="the seed of every asset")
    evaluate.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KNOB=VALUE",
        help="any setting by name; may be repeated",
    )
    evaluate.add_argument(
        "--out", type=Path, default=Path("evaluation"), help="folder for the results (default %(default)s)"
    )
    add_makers(evaluate)
    evaluate.add_argument("--list", action="store_true", help="list the scorers and end")
    evaluate.add_argument("--fetch", metavar="SCORER", help="download this scorer's weights and end")
    evaluate.add_argument("--yes", action="store_true", help="accept size and licence without asking")
    evaluate.add_argument("--quiet", action="store_true", help="no progress bar")
    evaluate.set_defaults(command=_evaluate)


def add_shelf(commands: argparse._SubParsersAction) -> None:
    shelf = commands.add_parser(
        "shelf",
        help="3D references to set out from: list them, find them by words or by a picture",
        description="3D references to set out from: 4,500 shipped objects, fetched collections, a folder "
        "of yours, or earlier "
        "results.",
    )
    shelf.add_argument("--search", metavar="WORDS", help='find by words, for example "a red chair"')
    shelf.add_argument(
        "--image", type=Path, metavar="FILE", help="find what looks like the object in this picture"
    )
    shelf.add_argument(
        "--folder", type=Path, metavar="DIR", help="look among the GLB, OBJ, PLY and STL files in this folder"
    )
    shelf.add_argument(
        "--collections", action="store_true", help="list the public collections that can be fetched"
    )
    shelf.add_argument(
        "--fetch",
        metavar="NAME",
        help="fetch one of them for every later run; size and licence are shown first",
    )
    shelf.add_argument("--yes", action="store_true", help="do not ask before fetching")
    shelf.add_argument(
        "--add",
        type=Path,
        metavar="FILE.sh3f",
        help="add a furniture library of Sweet Home 3D that lies on this machine",
    )
    shelf.add_argument("--results", action="store_true", help="look among earlier results")
    shelf.add_argument(
        "--library", type=Path, help="folder of runs (default: $MAQUETTE_HOME or ~/.local/share/maquette)"
    )
    shelf.add_argument(
        "--top", type=int, default=5, metavar="K", help="how many matches to list (default %(default)s)"
    )
    shelf.add_argument("--all", action="store_true", help="without a search: list everything")
    shelf.add_argument(
        "--pick", type=int, metavar="SEED", help="draw one of the matches, the likelier the more similar"
    )
    shelf.add_argument(
        "--temperature",
        type=float,
        default=0.05,
        metavar="T",
        help="of that draw; 0 takes the best (default %(default)s)",
    )
    shelf.add_argument(
        "--embedder", default="toybox", help="what compares pictures: toybox or clip (default %(default)s)"
    )
    shelf.add_argument("--sheet", type=Path, metavar="FILE.png", help="also draw the matches")
    shelf.set_defaults(command=_shelf)


# Each imports what it needs when it runs, so that --help answers at once.


def _playground(options: argparse.Namespace) -> int | None:
    if options.sync is not None:
        from studio.commands.synchronise import synchronise

        return synchronise(options)
    from studio.commands.playground import playground

    return playground(options)


def _evaluate(options: argparse.Namespace) -> int | None:
    from studio.commands.evaluate import evaluate

    return evaluate(options)


def _shelf(options: argparse.Namespace) -> int | None:
    from studio.commands.shelf import shelf

    return shelf(options)
