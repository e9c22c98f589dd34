"""Where a run's reference comes from, kept in a small file beside its copy, so that whoever uses it can say
so.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.errors import InputError, storage_errors
from engine.loop.reference.input_files import ORIGIN, digest, path_in


@dataclass(frozen=True)
class Origin:
    """What was taken: ``id`` on its shelf, what it is, its source and licence, and its cosine with what was
    asked for.

    ``retrieved``: it was found, not chosen by a person. ``reason`` says why it was looked for where nobody
    asked.
    """

    id: str
    caption: str
    source: str
    licence: str
    similarity: float | None = None
    retrieved: bool = False
    reason: str = ""

    def sentence(self) -> str:
        """For a terminal or a status line."""
        near = "" if self.similarity is None else f", {self.similarity:.0%} similar"
        return f"{self.caption} ({self.id}{near}; {self.licence}; {self.source})"


def write_origin(path: Path, origin: Origin) -> None:
    """Keep it beside the reference's file. Raises StorageError."""
    with storage_errors(path.parent):
        text = json.dumps({"digest": digest(path), **asdict(origin)}, indent=1, ensure_ascii=False)
        (path.parent / ORIGIN).write_text(text + "\n", encoding="utf-8")


def origin_of(path: Path) -> Origin | None:
    """What is kept of this very file; None if nothing is, or if it is of another file."""
    try:
        document = json.loads((path.parent / ORIGIN).read_text(encoding="utf-8"))
        if document["digest"] != digest(path):
            return None
        near = document["similarity"]
        named = {name: str(document[name]) for name in ("id", "caption", "source", "licence")}
        near = None if near is None or not math.isfinite(near) else float(near)
        retrieved, reason = bool(document.get("retrieved", True)), str(document.get("reason", ""))
        return Origin(**named, similarity=near, retrieved=retrieved, reason=reason)
    except (OSError, ValueError, KeyError, TypeError, InputError):
        return None


def origin_in(reference: str, folder: Path) -> Origin | None:
    """Of the reference that the settings of the run in ``folder`` name."""
    return origin_of(folder / path_in(reference)) if reference.strip() else None
