"""The commands that list what there is: presets, settings, kinds of objects, priors."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_lists(commands: argparse._SubParsersAction) -> None:
    presets = commands.add_parser("presets", help="list the presets, or show what is in one")
    presets.add_argument("key", nargs="?", help="show this preset's settings")
    presets.set_defaults(command=_presets)
    settings = commands.add_parser(
        "settings", help="list every setting, with what is allowed and what it does"
    )
    settings.add_argument("word", nargs="?", help="only those whose name or description holds this word")
    settings.add_argument("--markdown", action="store_true", help="as a table in Markdown, all of them")
    settings.set_defaults(command=_settings)
    kinds = commands.add_parser("kinds", help="what toybox can make, or what a word would be read as")
    kinds.add_argument("word", nargs="?", help="list the kinds that are called so, or say what comes nearest")
    kinds.set_defaults(command=_kinds)
    priors = commands.add_parser("priors", help="list the diffusion priors, or fetch one")
    priors.add_argument("--fetch", metavar="ID", help="download this prior's weights")
    priors.add_argument("--yes", action="store_true", help="accept size and licence without asking")
    priors.set_defaults(command=_priors)
    library = commands.add_parser(
        "library",
        help="the runs that are kept: find, name and star them, throw away and take back",
        description="The runs that are kept, newest first. A run is named by its token, or by the "
        "beginning of it.",
    )
    add_library_options(library)
    library.set_defaults(command=_library)
    replay = commands.add_parser(
        "replay", help="make a result again from any file of it, and say how near the new one comes"
    )
    replay.add_argument(
        "file", type=Path, metavar="FILE", help="a recipe.toml, or any file that Maquette exported"
    )
    replay.add_argument(
        "--out", type=Path, help="folder for the new one (default: named after the old one's)"
    )
    replay.add_argument(
        "--formats", default="ply,glb,mp4,png", help="which files to write (default %(default)s)"
    )
    replay.add_argument("--quiet", action="store_true", help="no progress bar")
    replay.set_defaults(command=_replay)


def add_library_options(library: argparse.ArgumentParser) -> None:
    library.add_argument(
        "search", nargs="*", metavar="WORD", help="only those with all of these in words, name, tags or notes"
    )
    library.add_argument(
        "--library", help="folder of runs (default: $MAQUETTE_HOME or ~/.local/share/maquette)"
    )
    library.add_argument("--starred", action="store_true", help="only those with a star")
    library.add_argument("--in-trash", action="store_true", help="those in the trash")
    library.add_argument("--all", action="store_true", help="all of them, and not the newest alone")
    library.add_argument("--json", action="store_true", help="as JSON")
    change = library.add_mutually_exclusive_group()
    change.add_argument("--trash", metavar="TOKEN", help="put a run into the trash")
    change.add_argument("--restore", metavar="TOKEN", help="take a run out of the trash")
    change.add_argument("--purge", metavar="TOKEN", help="delete a run in the trash, for ever")
    change.add_argument(
        "--rename", nargs=2, metavar=("TOKEN", "NAME"), help="give a run a name; an empty one takes it away"
    )
    change.add_argument("--star", metavar="TOKEN", help="give a run a star, or take it away again")
    change.add_argument(
        "--tag", nargs="+", metavar=("TOKEN", "TAG"), help="the tags of a run: these, and no others"
    )
    change.add_argument("--note", nargs=2, metavar=("TOKEN", "TEXT"), help="notes on a run")


# Each imports what it needs when it runs, so that --help answers at once.


def _presets(options: argparse.Namespace) -> int | None:
    from studio.commands.listing import presets

    return presets(options.key)


def _settings(options: argparse.Namespace) -> int | None:
    from studio.commands.settings import settings

    return settings(options.word, markdown=options.markdown)


def _kinds(options: argparse.Namespace) -> int | None:
    from studio.commands.listing import kinds

    return kinds(options.word)


def _priors(options: argparse.Namespace) -> int | None:
    from studio.commands.listing import priors

    return priors(options.fetch, accepted=options.yes)


def _library(options: argparse.Namespace) -> int | None:
    from studio.commands.library import library

    return library(options)


def _replay(options: argparse.Namespace) -> int | None:
    from studio.commands.replay import replay

    return replay(options)
