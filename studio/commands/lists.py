"""The commands that list what there is: presets, settings, kinds of objects, priors."""

from __future__ import annotations

import argparse


def add_lists(commands: argparse._SubParsersAction) -> None:
    presets = commands.add_parser("presets", help="list the presets, or show what is in one")
    presets.add_argument("key", nargs="?", help="show this preset's settings")
    presets.set_defaults(command=_presets)
    settings = commands.add_parser("settings", help="list every setting, with what is allowed and what it does")
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


# Each imports what it needs when it runs, so that --help answers at once.


def _presets(options: argparse.Namespace) -> int | None:
    from studio.commands.listing import presets

    return presets(options.key)


def _settings(options: argparse.Namespace) -> int | None:
    from studio.commands.settings import settings

    return settings(options.word, markdown=options.markdown)


def _kinds(options: argparse.Namespace) -> int | None:
    from studio.commands.kinds import kinds

    return kinds(options.word)


def _priors(options: argparse.Namespace) -> int | None:
    from studio.commands.listing import priors

    return priors(options.fetch, accepted=options.yes)
