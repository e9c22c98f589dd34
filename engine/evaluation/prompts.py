"""Sets of prompts: text files in T3Bench's layout, one prompt a line. Blank lines and lines that begin with #
are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.assets.export.files import read_errors
from engine.errors import InputError
from engine.loop.spec import RunSpec
from engine.shipped import presets_folder

FOLDER = presets_folder() / "evaluation"
KINDS = ("single", "surroundings", "multiple")
"""The project's own sets, of the three kinds that T3Bench has: one object, one with surroundings, several."""


@dataclass(frozen=True)
class PromptSet:
    """Prompts that are averaged together, under the name of their file."""

    name: str
    prompts: tuple[str, ...]


def read_sets(names: Sequence[str], limit: int = 0) -> tuple[PromptSet, ...]:
    """Sets by the name of one of ours or the path of a file; ``limit`` keeps only the first so many prompts
    of each (0: all).

    Raises InputError for what cannot be read, is empty, or holds a prompt that is not allowed; and for two
    files of one name.
    """
    sets = tuple(_read(FOLDER / f"{name}.txt" if name in KINDS else Path(name), limit) for name in names)
    doubled = {one.name for one in sets if [other.name for other in sets].count(one.name) > 1}
    if doubled:
        raise InputError(f"Two sets of prompts are named {min(doubled)!r}.", "Rename one of the files.")
    return sets


def _read(path: Path, limit: int) -> PromptSet:
    with read_errors(path):
        data = path.read_bytes()
    try:
        lines = [line.strip() for line in data.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not text in UTF-8.", "Give a text file with one prompt a line."
        ) from error
    prompts = tuple(line for line in lines if line and not line.startswith("#"))
    if not prompts:
        raise InputError(f"{path} holds no prompt.", "Write one prompt a line.")
    for prompt in prompts:
        RunSpec(prompt=prompt)  # raises what is wrong with it
    return PromptSet(path.stem, prompts[:limit] if limit else prompts)
