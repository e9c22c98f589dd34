"""The command line: what can be asked, and how failures are told."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.errors import InputError, StudioError
from studio.commands.elsewhere import add_batch, add_edit, add_space
from studio.commands.export import add_export
from studio.commands.lists import add_lists
from studio.commands.serving import AUTH, add_serve_options, add_shelf_options, logins_in
from studio.commands.studies import add_evaluate, add_playground, add_shelf

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
        unexpected = StudioError(f"Something went wrong that should not have: {type(error).__name__}: "
                                 f"{error}",
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
        description="Maquette: turn words into 3D, and steer the shape while it evolves. Without a command "
        "it serves the page.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is")
    add_serve_options(parser)
    parser.set_defaults(command=_serve)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_generate(commands)
    add_batch(commands)
    add_edit(commands)
    add_space(commands)
    add_playground(commands)
    add_evaluate(commands)
    add_shelf(commands)
    add_export(commands)
    inspect = commands.add_parser(
        "inspect", help="what is understood of a picture, a model, splats or a result"
    )
    inspect.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a picture, a model, splats, or a result"
    )
    inspect.add_argument("--json", action="store_true", help="as JSON")
    inspect.set_defaults(command=_inspect)
    serve = commands.add_parser("serve", help="serve the page (what happens without a command, too)")
    add_serve_options(serve)
    serve.set_defaults(command=_serve)
    doctor = commands.add_parser(
        "doctor", help="what this machine has, what that means for speed, what to add"
    )
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
        help="a picture of the object, seen from so many degrees beside its front (0); may be given "
        "several times, with or "
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
        help="a 3D model that guides the shape: a GLB, glTF, OBJ, PLY (mesh or splats), STL or blocks "
        "(JSON) file; shelf:ID; "
        "auto for what on the shelf is most like the pictures or the words, auto:5 for one of the best 5; "
        "or run:TOKEN for an "
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
        help="its strength from overall shape (0, much noise) to details (1, little), for example "
        "0:1,0.5:0.8,1:0.3",
    )
    what.add_argument(
        "--recipe", type=Path, help="repeat a run: a recipe.toml, or any file that Maquette exported"
    )
    generate.add_argument("--negative-prompt", help="what to avoid")
    generate.add_argument("--preset", help="settings to start from (python -m studio presets)")
    generate.add_argument("--seed", type=int, help="the same seed gives the same object")
    generate.add_argument(
        "--variations",
        type=int,
        metavar="N",
        help="make N of them in turn, with one seed after the other, and a sheet of all",
    )
    generate.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KNOB=VALUE",
        help="any setting by name; may be given several times",
    )
    generate.add_argument(
        "--out", type=Path, required=True, help="folder for the results; earlier results in it are kept aside"
    )
    generate.add_argument(
        "--formats",
        default="ply,glb,mp4,png",
        help="which files to write (default %(default)s; also: texture)",
    )
    generate.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    generate.add_argument("--quiet", action="store_true", help="no progress bar")
    generate.set_defaults(command=_generate)


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


def _inspect(options: argparse.Namespace) -> int | None:
    from studio.commands.inspect import inspect

    return inspect(options)


def _doctor(options: argparse.Namespace) -> int | None:
    from studio.commands.doctor import doctor

    return doctor()
