"""What is measured: one cell for each row of the table, object and seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.errors import InputError
from engine.loop.settings import Settings, flatten, with_values
from engine.prior.registry import find_entry, local_folder
from engine.prior.toybox.info import CONTROLLER, WEIGHTS
from engine.prior.toybox.pipeline_files import base_digest
from engine.toybox.benchmark.reference_choice import CEILING, KINDS, NONE, PICTURE, RANDOM, TRUTH
from engine.toybox.benchmark.tasks import ImageTask
from engine.toybox.shelf import LIST

ABLATED = ("top-1", TRUTH)
"""References of the rows that show what a part is worth; before a random one the gate is closed, whatever is
behind it.
"""


@dataclass(frozen=True)
class Group:
    """Rows with the same controller and settings: that of the prior, or of another ``controller`` folder, and
    ``changes``.
    """

    name: str
    references: tuple[str, ...]
    controller: Path | None = None
    changes: tuple[tuple[str, str], ...] = ()


SHIPPED = "with its gate"
MAIN = Group(SHIPPED, (*KINDS, CEILING))
OPEN = Group("gate held open", (RANDOM, *ABLATED), changes=(("reference_gate", "open"),))
LATE = Group("details only (curve 0:0,0.5:1)", ABLATED, changes=(("reference_curve", "0:0,0.5:1"),))
ALONE = (("reference_by", "controller"),)
LEARNED = Group("controller alone, no pull", ABLATED, changes=ALONE)
"""What was learned, without the pull on the shape: controllers are compared by it."""


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    group: str
    reference: str


@dataclass(frozen=True)
class Cell:
    """One asset to make and to judge. ``by`` is what is given of the object, ``prior`` and ``controller`` are
    folders.

    ``weights`` tells one network from another; a ``ceiling`` is fitted to true views.
    """

    row: Row
    task: ImageTask
    seed: int
    by: str
    settings: Settings
    prior: Path
    controller: Path | None
    weights: str = field(repr=False)

    @property
    def key(self) -> str:
        """Its name in files."""
        name = hashlib.sha256(self.row.group.encode()).hexdigest()[:6]
        return f"{self.by}-{name}-{self.row.reference}-{self.task.index}-{self.seed}"

    @property
    def digest(self) -> str:
        """Another one for everything that would give another result."""
        facts = [
            self.key,
            self.task.seed,
            self.task.azimuth_deg,
            flatten(self.settings),
            self.weights,
            _shelf_digest(),
        ]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def groups_of(controllers: Mapping[str, Path], references: Sequence[str]) -> tuple[Group, ...]:
    """All groups, the prior's own controller first, with no references but these (and the ceiling)."""
    wanted = {*references, NONE, CEILING}
    others = tuple(Group(name, ABLATED, folder, ALONE) for name, folder in controllers.items())
    kept = [
        replace(group, references=tuple(kind for kind in group.references if kind in wanted))
        for group in (MAIN, OPEN, LATE, LEARNED, *others)
    ]
    return tuple(group for group in kept if group.references)


def cells_of(
    groups: Sequence[Group], tasks: Sequence[ImageTask], seeds: int, by: str, settings: Settings, prior: str
) -> tuple[Cell, ...]:
    """Every cell; an object is done for all rows before the next begins, so that what is done so far can be
    compared.

    The ceiling knows no seeds, and is made once for an object. Raises InputError or MissingError for folders
    without weights.
    """
    folder = toybox_folder(prior)
    by_group = {
        group.name: (_changed(settings, group), weights_of(folder, group.controller)) for group in groups
    }
    base = base_digest(folder)
    return tuple(
        Cell(
            Row(group.name, kind), task, seed, by, _seeded(by_group[group.name][0], seed), folder,
                group.controller,
            base if kind in (NONE, CEILING) else by_group[group.name][1],
        )
        for task in tasks
        for seed in range(seeds)
        for group in groups
        for kind in group.references
        if kind != CEILING or seed == 0
    )  # fmt: skip


def toybox_folder(prior: str) -> Path:
    """Where the prior's files are. Raises InputError for a prior of another family."""
    entry = find_entry(prior)
    folder = local_folder(entry)
    if entry.family != "toybox" or folder is None:
        raise InputError(
            f"References are compared with a toybox prior, and {prior!r} is none.", "Leave --prior away."
        )
    return folder


def weights_of(folder: Path, controller: Path | None) -> str:
    """A digest of the prior's weights and of the controller's that guides it. Raises InputError for a folder
    without one.
    """
    place = controller or folder / CONTROLLER
    if controller is not None and not (place / WEIGHTS).is_file():
        raise InputError(
            f"There is no controller in {place}.",
            "Export one: python -m engine.toybox.train reference --out RUN --export FOLDER",
        )
    files = [place / name for name in ("config.json", WEIGHTS) if (place / name).is_file()]
    return base_digest(folder) + "".join(hashlib.sha256(file.read_bytes()).hexdigest()[:8] for file in files)


def _changed(settings: Settings, group: Group) -> Settings:
    return with_values(settings, dict(group.changes))


def _seeded(settings: Settings, seed: int) -> Settings:
    return replace(settings, spec=replace(settings.spec, seed=seed))


def _shelf_digest() -> str:
    return hashlib.sha256(LIST.read_bytes()).hexdigest()[:16]


def inputs(by: str) -> str:
    """What is given, in words."""
    return "one picture" if by == PICTURE else "their captions"
