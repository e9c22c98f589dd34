"""Registry entries: one flat TOML file for each prior that the studio knows of,
``presets/priors/ID.toml``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, cast, get_type_hints

from engine.errors import InputError, MissingError, PresetError
from engine.prior.base import PriorInfo
from engine.shipped import presets_folder

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PRIORS_FOLDER = presets_folder() / "priors"
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Files that may have to be fetched. ``source`` is a Hub id, or a folder if it begins with . / or ~."""

    id: str
    title: str
    source: str
    licence: str
    folder: Path  # where the entry lies; relative sources start here
    revision: str = ""  # commit of a Hub source
    unpinned: bool = False  # the revision is a branch and may change
    mirrors: tuple[str, ...] = ()  # further Hub ids with the same files, as ID or ID@REVISION
    size_mb: int = 0  # what has to be fetched

    @property
    def is_local(self) -> bool:
        """True if the source is a folder."""
        return self.source.startswith((".", "/", "~"))

    @property
    def local_source(self) -> Path:
        """The folder that a local source means."""
        return (self.folder / Path(self.source).expanduser()).resolve()

    @property
    def hub_sources(self) -> tuple[tuple[str, str], ...]:
        """(Hub id, revision) to try in turn; mirrors follow their main branch unless they name a revision."""
        mirrors = [mirror.partition("@") for mirror in self.mirrors]
        return ((self.source, self.revision), *((name, revision or "main") for name, _, revision in mirrors))


@dataclass(frozen=True, kw_only=True)
class PriorEntry(Entry):
    """What is known of a prior before it is on this machine."""

    family: str  # which loader reads it
    resolution: int  # pixels a side
    default_guidance_scale: float
    vram_gb: float = 0.0  # about what a run with it takes on a GPU
    prediction_type: str = ""
    time_range: tuple[float, float] = (0.02, 0.98)
    needs: tuple[str, ...] = ()  # Python packages
    leave_out: tuple[
        str, ...
    ] = ()  # parts of the pipeline that it also works without, such as "text_encoder_3"
    gated: bool = False  # the publisher asks everyone to accept the licence on the Hub first
    vocabulary: str = ""  # file beside the entry with the words it was taught; empty: open
    kinds: str = ""  # file beside the entry with the kinds of objects that it makes by itself; empty: any

    def info(self) -> PriorInfo:
        """What this entry says about the prior, for loaders that do not store it with the weights."""
        return PriorInfo(
            self.id, self.title, "rgb", self.resolution, self.default_guidance_scale, self.time_range
        )


def read_entry(path: Path) -> PriorEntry:
    """The entry in ``path``. Raises PresetError that names the file and what is wrong with it."""
    entry = PriorEntry(**read_table(path, PriorEntry), folder=path.parent)
    _check_sense(path, entry)
    return entry


def known_file(kind: str, name: str, folder: Path, *others: str) -> Path:
    """The file of the ``kind`` named ``name`` in a folder. Raises InputError that lists the known ones, after
    ``others``.
    """
    known = sorted(path.stem for path in folder.glob("*.toml"))
    if name not in known:
        raise InputError(
            f"There is no {kind} named {name!r}.", f"Choose one of {', '.join((*others, *known))}."
        )
    return folder / f"{name}.toml"


def lacking(entry: Entry, title: str) -> MissingError:
    """What to raise where the files of an entry with this ``title`` are not here: how large they are, and how
    to fetch them.
    """
    return MissingError(
        f"{title} is not on this machine ({entry.size_mb} MB to fetch; licence {entry.licence}).",
        f"Fetch it with: python -m studio priors --fetch {entry.id}",
    )


def read_table(path: Path, kind: type) -> dict[str, Any]:
    """What ``path`` says of the fields of the dataclass ``kind``, each as its type wants it; ``folder`` is
    left to the caller.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PresetError(f"{path} cannot be read as TOML: {error}.", "Repair or delete the file.") from error
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind) if field.name != "folder"}
    _check_names(path, table, {name for name, field in known.items() if field.default is MISSING}, set(known))
    return {name: _typed(path, name, value, hints[name]) for name, value in table.items()}


def _check_names(path: Path, table: Mapping[str, Any], needed: set[str], known: set[str]) -> None:
    lacking, strange = sorted(needed - set(table)), sorted(set(table) - known)
    if lacking or strange:
        what = [f"lacks {', '.join(lacking)}"] * bool(lacking) + [f"has unknown {', '.join(strange)}"] * bool(
            strange
        )
        raise PresetError(f"{path} {' and '.join(what)}.", f"An entry has: {', '.join(sorted(known))}.")


def _typed(path: Path, name: str, value: Any, hint: Any) -> Any:
    """``value`` as ``hint`` wants it: TOML has lists for tuples, and whole numbers are numbers too."""
    read: Callable[[Any], Any]
    if hint == tuple[str, ...]:
        good = isinstance(value, list) and all(isinstance(part, str) for part in value)
        wanted, read = "a list of texts", tuple
    elif hint == tuple[float, float]:
        good = isinstance(value, list) and len(value) == 2 and all(_is_number(part) for part in value)
        wanted, read = "two numbers", tuple
    elif hint is float:
        good, wanted, read = _is_number(value), "a number", float
    else:
        good = isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
        wanted, read = {str: "a text", int: "a whole number", bool: "true or false"}[hint], hint
    if not good:
        raise PresetError(f"{path}: {name} is {value!r}; it must be {wanted}.", "Repair the file.")
    return read(cast(Any, value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_sense(path: Path, entry: PriorEntry) -> None:
    (low, high), scale = entry.time_range, entry.default_guidance_scale
    check_source(path, entry)
    refuse(
        path,
        {
            f"time_range is {low:g} to {high:g}; it must rise within 0 to 1": 0 <= low < high <= 1,
            f"resolution is {entry.resolution}; it must be positive": entry.resolution > 0,
            f"default_guidance_scale is {scale:g}; it must be at least 1": scale >= 1,
        },
    )


def check_source(path: Path, entry: Entry) -> None:
    """Raises PresetError if the entry in ``path`` has another id than its file, or its source is not told
    well enough.
    """
    vouched = entry.is_local or entry.unpinned != (COMMIT.fullmatch(entry.revision) is not None)
    refuse(
        path,
        {
            f"id is {entry.id!r}; it must be the file's name, {path.stem!r}": entry.id == path.stem,
            "a Hub source needs a revision": entry.is_local or bool(entry.revision),
            f"size_mb is {entry.size_mb}; it must say what a Hub source takes to fetch": entry.is_local
            or entry.size_mb > 0,
            f"revision is {entry.revision!r}; unpinned must be true unless it is a commit of 40 "
            "hexadecimal digits": vouched,
        },
    )


def refuse(path: Path, rules: Mapping[str, bool]) -> None:
    """Raises PresetError with the first fault whose rule does not hold."""
    for fault, holds in rules.items():
        if not holds:
            raise PresetError(f"{path}: {fault}.", "Repair the file.")
