"""``python -m studio library``: the runs that are kept, found by words; names, stars, tags, notes, and the
trash.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import InputError, StateError
from engine.session.library import Library, default_root
from engine.session.library_catalogue import TOKEN, LibraryCatalogue
from engine.session.library_index import Entry, Search
from engine.session.record import ENDED
from studio.messages import size_words

LISTED = 40
TITLE, STATE = 48, 11  # characters of a column


def library(options: argparse.Namespace) -> None:
    """List runs, or change one. Raises InputError for a token that no run has, StateError for a run that
    goes.
    """
    with _opened(options.library) as catalogue:
        catalogue.refresh()
        message = _changed(catalogue, options)
        if message:
            print(message)
            return
        search = Search(
            None,
            " ".join(options.search),
            options.starred,
            options.in_trash,
            most=-1 if options.all else LISTED,
        )
        page = catalogue.search(search)
        if options.json:
            print(json.dumps([_plain(entry) for entry in page.entries], indent=1, ensure_ascii=False))
            return
        for entry in page.entries:
            print(_line(entry))
        print(_sum(catalogue, page.count, len(page.entries), page.bytes, options.in_trash))


@contextmanager
def _opened(root: str | None) -> Iterator[LibraryCatalogue]:
    opened = Library(default_root({"MAQUETTE_HOME": root} if root else os.environ))
    catalogue = LibraryCatalogue(opened)
    try:
        yield catalogue
    finally:
        catalogue.close()
        opened.close()


def _changed(catalogue: LibraryCatalogue, options: argparse.Namespace) -> str:
    """What was changed, in words; empty where nothing was to be."""
    if options.trash:
        return f"{_thrown_away(catalogue, _named(catalogue, options.trash)).title} is in the trash."
    if options.restore:
        entry = _named(catalogue, options.restore)
        catalogue.restore(entry.token)
        return f"{entry.title} is back."
    if options.purge:
        entry = _named(catalogue, options.purge)
        catalogue.purge(entry.token)
        return f"{entry.title} is deleted; that freed {size_words(entry.bytes)}."
    return _relabelled(catalogue, options)


def _relabelled(catalogue: LibraryCatalogue, options: argparse.Namespace) -> str:
    if options.star:
        entry = _named(catalogue, options.star)
        values: tuple[Entry, dict[str, object]] | None = (entry, {"starred": not entry.starred})
    else:
        given = next(
            ((name, value) for name in ("rename", "tag", "note") if (value := getattr(options, name))), None
        )
        values = (
            None if given is None else (_named(catalogue, given[1][0]), _as_label(given[0], given[1][1:]))
        )
    if values is None:
        return ""
    entry, changes = values
    catalogue.relabel(entry.token, catalogue.label(entry.token).with_values(changes))
    return _line(_named(catalogue, entry.token))


def _as_label(option: str, values: list[str]) -> dict[str, object]:
    return {
        "rename": lambda: {"name": values[0]},
        "tag": lambda: {"tags": values},
        "note": lambda: {"notes": values[0]},
    }[option]()


def _thrown_away(catalogue: LibraryCatalogue, entry: Entry) -> Entry:
    if entry.trashed:
        raise StateError(
            f"{entry.title} is in the trash already.", f"Take it out with --restore {entry.token}."
        )
    with catalogue.library.deciding():
        record = catalogue.library.read(entry.token)
        if record.state not in ENDED:
            raise StateError(
                f"{entry.title} has not ended ({record.state}).",
                "Stop it first, in the studio that it belongs to.",
            )
        catalogue.trash(entry.token)
    return entry


def _named(catalogue: LibraryCatalogue, beginning: str) -> Entry:
    """The run whose token begins so. Raises InputError unless there is exactly one."""
    tokens = [
        token
        for token in catalogue.index.stamps()
        if TOKEN.fullmatch(beginning) and token.startswith(beginning)
    ]
    exact = [token for token in tokens if token == beginning] or tokens
    entry = catalogue.index.entry(exact[0]) if len(exact) == 1 else None
    if entry is None:
        how_many = f"{len(exact)} runs have" if exact else "No run has"
        raise InputError(
            f"{how_many} a token that begins with {beginning[:40]!r}.",
            "List them with: library --all, or library --in-trash.",
        )
    return entry


def _line(entry: Entry) -> str:
    title = entry.title if len(entry.title) <= TITLE else entry.title[: TITLE - 1] + "…"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.created))
    tags = " ".join(f"#{tag}" for tag in entry.tags)
    star = "*" if entry.starred else " "
    start = f"{star} {entry.token}  {when}  {entry.state:<{STATE}} {size_words(entry.bytes):>8}"
    return f"{start}  {title:<{TITLE}} {tags}".rstrip()


def _sum(catalogue: LibraryCatalogue, count: int, listed: int, size: int, in_trash: bool) -> str:
    runs = (
        f"{count} {'run' if count == 1 else 'runs'}{' in the trash' if in_trash else ''}, {size_words(size)}"
    )
    more = "" if listed == count else f"; the newest {listed} are listed, --all lists all"
    trash = catalogue.search(Search(trashed=True, most=0))
    rest = "" if in_trash or not trash.count else f" (and {size_words(trash.bytes)} in the trash)"
    return f"{runs}{rest} in {catalogue.library.root}{more}"


def _plain(entry: Entry) -> dict[str, object]:
    """Without what is the owner's secret."""
    return {name: value for name, value in vars(entry).items() if name not in ("owner", "stamp")}
