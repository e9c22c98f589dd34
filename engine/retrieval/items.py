"""What stands on a shelf of references: where each thing comes from, and under which licence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.assets.meshes.mesh_shape import RawMesh


@dataclass(frozen=True)
class Item:
    """One thing on a shelf. ``id`` is unique on it; ``path`` is its file, or ``build`` makes it.

    ``caption`` says what it is, ``source`` where it comes from, ``licence`` what may be done with it
    ("unknown" if nobody said).
    """

    id: str
    caption: str
    source: str
    licence: str = "unknown"
    path: Path | None = None
    build: Callable[[], RawMesh] | None = None


@dataclass(frozen=True)
class Match:
    """A thing found, and how like it is what was asked for, 1 for the same; not a number if nothing was
    asked.
    """

    item: Item
    similarity: float


@dataclass(frozen=True)
class Unreadable:
    """A file that could not be put on a shelf, and why."""

    name: str
    reason: str
