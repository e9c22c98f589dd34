"""What a person writes on a run: a name, a star, tags and notes. It lies in the run's folder, beside what the
program writes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from engine.core.fields import is_writable
from engine.errors import InputError, storage_errors

LABEL = "label.json"
MOST_NAME, MOST_NOTES, MOST_TAGS, MOST_TAG = 120, 4000, 20, 40


@dataclass(frozen=True)
class Label:
    """``name`` stands for the run's words where it is not empty; ``starred`` puts it among the favourites."""

    name: str = ""
    starred: bool = False
    tags: tuple[str, ...] = ()
    notes: str = ""

    def with_values(self, values: Mapping[str, Any]) -> Label:
        """Changed by name. Raises InputError for what is not known, of another type, or too long."""
        wrong = set(values) - set(asdict(self))
        if wrong:
            raise InputError(
                f"A run has no {', '.join(sorted(wrong))} to be changed.",
                "Change name, starred, tags or notes.",
            )
        changed = {name: _checked(name, value) for name, value in values.items()}
        return replace(self, **changed)


def _checked(name: str, value: Any) -> Any:
    if name == "starred":
        if not isinstance(value, bool):
            raise InputError(f"starred is yes or no, not {value!r:.40}.", "Reload the page.")
        return value
    if name == "tags":
        tags = [value] if isinstance(value, str) else value
        if not isinstance(tags, list | tuple) or len(tags) > MOST_TAGS:
            raise InputError(f"A run has at most {MOST_TAGS} tags.", "Leave some out.")
        return tuple(dict.fromkeys(filter(None, (_line(tag, MOST_TAG, "A tag") for tag in tags))))
    return _line(value, MOST_NAME, "A name") if name == "name" else _text(value, MOST_NOTES, "Notes")


def _line(value: Any, most: int, what: str) -> str:
    return " ".join(_text(value, most, what).split())


def _text(value: Any, most: int, what: str) -> str:
    if not isinstance(value, str) or len(value) > most or not is_writable(value) or "\0" in value:
        raise InputError(f"{what} is a text of at most {most} characters.", "Shorten it.")
    return value.strip()


def read_label(folder: Path) -> Label:
    """That of a run; an empty one where there is none, or none that can be read."""
    with suppress(OSError, ValueError, RecursionError):
        document = json.loads((folder / LABEL).read_text(encoding="utf-8"))
        if isinstance(document, dict):
            return Label().with_values(
                {name: value for name, value in document.items() if name in asdict(Label())}
            )
    return Label()


def write_label(folder: Path, label: Label) -> None:
    """Keep it, as a whole or not at all. Raises StorageError."""
    target, temporary = folder / LABEL, folder / f"{LABEL}.part"
    with storage_errors(target):
        temporary.write_text(json.dumps(asdict(label), indent=1, ensure_ascii=False), encoding="utf-8")
        os.replace(temporary, target)
