"""Where the page is served, for whom, and over which folders: the options of ``python -m studio``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from engine.errors import InputError

AUTH = "MAQUETTE_AUTH"


def add_serve_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default %(default)s: this machine only)"
    )
    parser.add_argument(
        "--port",
        type=port_number,
        default=7860,
        help="port to listen on (default %(default)s; 0: any free one)",
    )
    parser.add_argument(
        "--share", action="store_true", help="also open a public link through Gradio's tunnel"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name that the page is reached by, such as a proxy's",
    )
    parser.add_argument(
        "--auth",
        action="append",
        default=[],
        metavar="USER:PASSWORD",
        help="ask for this login; may be given several times (or $MAQUETTE_AUTH, with spaces between them)",
    )
    add_shelf_options(parser)


def add_shelf_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--library", type=Path, help="folder of runs (default: $MAQUETTE_HOME or ~/.local/share/maquette)"
    )
    parser.add_argument(
        "--shelf",
        type=Path,
        metavar="FOLDER",
        help="models of yours to take references from, too (default: $MAQUETTE_SHELF)",
    )


def logins_in(texts: Sequence[str]) -> list[tuple[str, str]]:
    """The (user, password) of each ``USER:PASSWORD``. Raises InputError, without repeating what may be a
    password.
    """
    logins = [(user, password) for user, _, password in (text.partition(":") for text in texts)]
    if not all(user and password for user, password in logins):
        raise InputError(
            "--auth needs a user and a password with a colon between them.",
            "Write --auth ada:a-long-password.",
        )
    return logins


def port_number(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is not a port; give a number from 0 to 65535")
    return number
