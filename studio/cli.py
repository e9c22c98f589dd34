"""The command line: what can be asked, and how failures are told."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.errors import InputError, StudioError
from studio.commands.elsewhere import add_batch, add_edit, add_space, add_synchronisation
from studio.commands.export import add_export
from studio.commands.lists import add_lists
from studio.commands.serving import AUTH, add_serve_options, add_shelf_options, logins_in

DEBUG = "MAQUETTE_DEBUG"
EXIT_OK, EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options) or EXIT_OK
    except InputError as error:
        return _tell(error, EXIT_BAD_INPUT)
    except StudioError as error:
        return _tell(error, EXIT_FAILED)
    except BrokenPipeError:  # whoever read has seen enough, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return EXIT_INTERRUPTED
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        unexpected = StudioError(f"Something went wrong that should not have: {type(error).__name__}: {error}",
                                 f"Run it again with {DEBUG}=1 to see where, and report it.")  # fmt: skip
        return _tell(unexpected, EXIT_FAILED)


def _tell(error: StudioError, code: int) -> int:
    print(f"error: {error.what}", file=sys.stderr)
    if error.remedy:
        print(f"  try: {error.remedy}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="maquette" if Path(sys.argv[0]).stem == "maquette" else "python -m studio",
        description="Maquette: turn words into 3D, and steer the shape while it evolves. Without a command it serves the page.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is")
    add_serve_options(parser)
    parser.set_defaults(command=_serve)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_generate(commands)
    add_batch(commands)
    add_edit(commands)
    add_space(commands)
    _add_playground(commands)
    _add_evaluate(commands)
    _add_shelf(commands)
    add_export(commands)
    inspect = commands.add_parser("inspect", help="what is understood of a picture, a model, splats or a result")
    inspect.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a picture, a model, splats, or a result")
    inspect.add_argument("--json", action="store_true", help="as JSON")
    inspect.set_defaults(command=_inspect)
    serve = commands.add_parser("serve", help="serve the page (what happens without a command, too)")
    add_serve_options(serve)
    serve.set_defaults(command=_serve)
    doctor = commands.add_parser("doctor", help="what this machine has, what that means for speed, what to add")
    doctor.set_defaults(command=_doctor)
    add_lists(commands)
    return parser


def _add_generate(commands: argparse._SubParsersAction) -> None:
    generate = commands.add_parser(
        "generate", help="make one object without the page", description="Make one object without the page."
    )
    what = generate.add_mutually_exclusive_group()
    what.add_argument("--prompt", help='what to make, for example "a red mug with a blue handle"')
    generate.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="PATH[@AZIMUTH[*WEIGHT]]",
        help="a picture of the object, seen from so many degrees beside its front (0); may be given several times, with or "
        "without --prompt",
    )
    generate.add_argument(
        "--image-elevation",
        metavar="auto|DEGREES",
        help="how far above the object its pictures were taken; auto estimates it",
    )
    generate.add_argument(
        "--reference",
        metavar="MODEL",
        help="a 3D model that guides the shape: a GLB, glTF, OBJ, PLY (mesh or splats), STL or blocks (JSON) file; shelf:ID; "
        "auto for what on the shelf is most like the pictures or the words, auto:5 for one of the best 5; or run:TOKEN for an "
        "earlier result",
    )
    add_shelf_options(generate)
    generate.add_argument(
        "--reference-strength",
        type=float,
        metavar="S",
        help="how strongly it acts on overall shape and details alike: 0 not at all, 1 in full, up to 2",
    )
    generate.add_argument(
        "--reference-curve",
        metavar="CURVE",
        help="its strength from overall shape (0, much noise) to details (1, little), for example 0:1,0.5:0.8,1:0.3",
    )
    what.add_argument("--recipe", type=Path, help="repeat a run: a recipe.toml, or any file that Maquette exported")
    generate.add_argument("--negative-prompt", help="what to avoid")
    generate.add_argument("--preset", help="settings to start from (python -m studio presets)")
    generate.add_argument("--seed", type=int, help="the same seed gives the same object")
    generate.add_argument(
        "--variations", type=int, metavar="N", help="make N of them in turn, with one seed after the other, and a sheet of all"
    )
    generate.add_argument(
        "--set", action="append", default=[], metavar="KNOB=VALUE", help="any setting by name; may be given several times"
    )
    generate.add_argument("--out", type=Path, required=True, help="folder for the results; earlier results in it are kept aside")
    generate.add_argument(
        "--formats", default="ply,glb,mp4,png", help="which files to write (default %(default)s; also: texture)"
    )
    generate.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    generate.add_argument("--quiet", action="store_true", help="no progress bar")
    generate.set_defaults(command=_generate)


def _add_playground(commands: argparse._SubParsersAction) -> None:
    playground = commands.add_parser(
        "playground",
        help="one picture under every guidance method, side by side",
        description="Optimise one flat picture under several guidance methods at several guidance scales, side by side. "
        "Finished cells are kept: the same command goes on where it was interrupted.",
    )
    playground.add_argument("--prompt", required=True, help='what to paint, for example "a red mug"')
    playground.add_argument("--methods", default="all", help="methods with commas between them, or all (default %(default)s)")
    playground.add_argument("--guidance", default="1,2.5,7.5,20", help="guidance scales (default %(default)s)")
    playground.add_argument("--steps", type=int, default=100, help="steps for each picture (default %(default)s)")
    playground.add_argument("--prior", default="toybox", help="diffusion prior (python -m studio priors; default %(default)s)")
    playground.add_argument("--seed", type=int, default=0, help="the same seed gives the same pictures")
    playground.add_argument(
        "--set", action="append", default=[], metavar="KNOB=VALUE", help="a setting for the methods that have it; may be repeated"
    )
    playground.add_argument("--out", type=Path, default=Path("playground"), help="folder for the results (default %(default)s)")
    playground.add_argument("--film", action="store_true", help="also write film.mp4: how the pictures came to be")
    playground.add_argument("--quiet", action="store_true", help="no progress bar")
    add_synchronisation(playground)
    playground.set_defaults(command=_playground)


def _add_evaluate(commands: argparse._SubParsersAction) -> None:
    evaluate = commands.add_parser(
        "evaluate",
        help="make sets of prompts and judge the assets from all sides",
        description="Make an asset for each prompt, or find finished ones, and judge them from all sides: T3Bench's best region, "
        "best and worst azimuth, Janus rate. Made and judged assets are kept: the same command goes on where it stopped.",
    )
    evaluate.add_argument(
        "--prompts",
        nargs="+",
        default=["single", "surroundings", "multiple"],
        metavar="SET",
        help="single, surroundings, multiple (default: all three), or text files with one prompt a line, as T3Bench has them",
    )
    evaluate.add_argument("--limit", type=int, default=0, metavar="N", help="only the first N prompts of each set")
    evaluate.add_argument("--results", type=Path, metavar="FOLDER", help="judge the finished runs in this folder, and make none")
    evaluate.add_argument("--scorer", default="toybox", help="who judges, with commas between them (default %(default)s; --list)")
    evaluate.add_argument(
        "--viewpoints", choices=("studio", "t3bench"), default="studio", help="from where (t3bench: five fields of view, slower)"
    )
    evaluate.add_argument("--preset", default="toybox-splats", help="settings to make assets with (default %(default)s)")
    evaluate.add_argument("--seed", type=int, default=0, help="the seed of every asset")
    evaluate.add_argument("--set", action="append", default=[], metavar="KNOB=VALUE", help="any setting by name; may be repeated")
    evaluate.add_argument("--out", type=Path, default=Path("evaluation"), help="folder for the results (default %(default)s)")
    evaluate.add_argument("--list", action="store_true", help="list the scorers and end")
    evaluate.add_argument("--fetch", metavar="SCORER", help="download this scorer's weights and end")
    evaluate.add_argument("--yes", action="store_true", help="accept size and licence without asking")
    evaluate.add_argument("--quiet", action="store_true", help="no progress bar")
    evaluate.set_defaults(command=_evaluate)


def _add_shelf(commands: argparse._SubParsersAction) -> None:
    shelf = commands.add_parser(
        "shelf",
        help="3D references to set out from: list them, find them by words or by a picture",
        description="3D references to set out from: 2,400 shipped objects, a folder of yours, or earlier results.",
    )
    shelf.add_argument("--search", metavar="WORDS", help='find by words, for example "a red chair"')
    shelf.add_argument("--image", type=Path, metavar="FILE", help="find what looks like the object in this picture")
    shelf.add_argument("--folder", type=Path, metavar="DIR", help="look among the GLB, OBJ, PLY and STL files in this folder")
    shelf.add_argument("--results", action="store_true", help="look among earlier results")
    shelf.add_argument("--library", type=Path, help="folder of runs (default: $MAQUETTE_HOME or ~/.local/share/maquette)")
    shelf.add_argument("--top", type=int, default=5, metavar="K", help="how many matches to list (default %(default)s)")
    shelf.add_argument("--all", action="store_true", help="without a search: list everything")
    shelf.add_argument("--pick", type=int, metavar="SEED", help="draw one of the matches, the likelier the more similar")
    shelf.add_argument(
        "--temperature", type=float, default=0.05, metavar="T", help="of that draw; 0 takes the best (default %(default)s)"
    )
    shelf.add_argument("--embedder", default="toybox", help="what compares pictures: toybox or clip (default %(default)s)")
    shelf.add_argument("--sheet", type=Path, metavar="FILE.png", help="also draw the matches")
    shelf.set_defaults(command=_shelf)


class _Version(argparse.Action):
    """Says the version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from engine.shipped import installed_version

        version = installed_version()
        print(f"maquette {version}" if version else "maquette, not installed: run pip install -e .")
        parser.exit()


# Commands import what they need when they run, so that --help answers at once.


def _serve(options: argparse.Namespace) -> int | None:
    from studio.app import serve

    return serve(
        host=options.host,
        port=options.port,
        share=options.share,
        library=options.library,
        shelf=options.shelf,
        allow_hosts=options.allow_host,
        logins=logins_in([*options.auth, *os.environ.get(AUTH, "").split()]),
    )


def _generate(options: argparse.Namespace) -> int | None:
    from studio.commands.generate import generate
    from studio.commands.generate_options import GenerateOptions

    return generate(GenerateOptions.of(options))


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


def _inspect(options: argparse.Namespace) -> int | None:
    from studio.commands.inspect import inspect

    return inspect(options)


def _doctor(options: argparse.Namespace) -> int | None:
    from studio.commands.doctor import doctor

    return doctor()
