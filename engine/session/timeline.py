"""The course of a run: moments with a picture each, some of which the run can go on from, and what was
changed when.

What is kept is bounded: `MOST_PICTURES` moments with a row of pictures from all round, and of these at most
`MOST_FULL`, or `FULL_BYTES` of them, with the run's whole state. Of too many the one goes that leaves the
smallest gap, but never the newest, nor one of the last `MOST_HELD` that somebody has looked at or gone back
to.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from engine.assets.export.files import atomic_path
from engine.errors import InputError, StorageError
from engine.loop.settings import Value

FOLDER, LISTING = "timeline", "timeline.json"
MOST_PICTURES, MOST_FULL, FULL_BYTES, MOST_CHANGES = 24, 5, 256 << 20, 200
MOST_HELD = 2  # of the full ones; the newest and two more have to find room below MOST_FULL
ONE_MOVE_STEPS = 25  # changes of the same settings within so many steps are one: a slider that is dragged
QUALITY = 82
CHECKPOINT = "checkpoint"


@dataclass(frozen=True)
class Moment:
    """After ``total_step``, that is ``step`` of ``stage``, under the knobs ``revision``; ``full``: a run can
    go on from here.

    ``values`` are the live settings then, by name, where it is full.
    """

    total_step: int
    stage: str
    step: int
    revision: int
    full: bool = False
    values: Mapping[str, Value] | None = None


@dataclass(frozen=True)
class Change:
    """Live settings by name, with their new values, from ``total_step`` on."""

    total_step: int
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Timeline:
    """``moments`` and ``changes`` in the order of their steps; ``held`` are the total steps of moments that
    stay, newest last.
    """

    moments: tuple[Moment, ...] = ()
    changes: tuple[Change, ...] = ()
    held: tuple[int, ...] = ()

    def moment(self, total_step: int) -> Moment | None:
        """The one after this step."""
        return next((each for each in self.moments if each.total_step == total_step), None)

    def with_moment(self, moment: Moment) -> Timeline:
        """One more, or one anew; what is full stays full."""
        known = self.moment(moment.total_step)
        if known is not None and known.full:
            moment = replace(moment, full=True, values=moment.values or known.values)
        others = (each for each in self.moments if each.total_step != moment.total_step)
        return replace(self, moments=tuple(sorted((*others, moment), key=lambda each: each.total_step)))

    def with_change(self, change: Change) -> Timeline:
        """One more; one that goes on moving the same settings takes the place of the one before."""
        kept = self.changes
        goes_on = bool(kept) and set(kept[-1].values) == set(change.values)
        if goes_on and change.total_step - kept[-1].total_step <= ONE_MOVE_STEPS:
            kept, change = kept[:-1], replace(change, total_step=kept[-1].total_step)
        return replace(self, changes=(*kept, change)[-MOST_CHANGES:])

    def before(self, number: int, at_first: Mapping[str, Value]) -> dict[str, Value]:
        """What taking back the change with this place would set: the values before it of what no later change
        has moved.

        ``at_first`` are the live settings that the run began with. Empty where there is nothing to take back.
        """
        change = self.changes[number]
        later = {name for each in self.changes[number + 1 :] for name in each.values}
        known = dict(at_first)
        for each in self.changes[:number]:
            known |= each.values
        names = (name for name in change.values if name not in later and name in known)
        return {name: known[name] for name in names if known[name] != change.values[name]}

    def holding(self, total_step: int) -> Timeline:
        """With a moment that stays while others are thinned out, until `MOST_HELD` later ones are held; as it
        is without one.
        """
        if self.moment(total_step) is None:
            return self
        others = (each for each in self.held if each != total_step)
        return replace(self, held=(*others, total_step)[-MOST_HELD:])

    def until(self, total_step: int) -> Timeline:
        """Without what came after a step."""
        return Timeline(
            tuple(each for each in self.moments if each.total_step <= total_step),
            tuple(each for each in self.changes if each.total_step <= total_step),
            tuple(each for each in self.held if each <= total_step),
        )

    def thinned(self, full_bytes: Callable[[Moment], int]) -> Timeline:
        """Within the bounds: moments that are too many go, and of full ones the state."""
        moments = list(self.moments)
        full = [each for each in moments if each.full]
        while len(full) > MOST_FULL or sum(map(full_bytes, full)) > FULL_BYTES:
            place = _least(full, self.held)
            if place is None:
                break
            least = full.pop(place)
            moments[moments.index(least)] = replace(least, full=False, values=None)
        while len(moments) > MOST_PICTURES:
            spare = range(1, len(moments) - 1)
            light = [i for i in spare if not moments[i].full and moments[i].total_step not in self.held]
            del moments[min(light, key=lambda i: moments[i + 1].total_step - moments[i - 1].total_step)]
        return replace(self, moments=tuple(moments))


def _least(moments: list[Moment], held: tuple[int, ...]) -> int | None:
    """The place of the one, neither held nor the newest, whose neighbours are closest together; of two, the
    first.
    """
    steps = [0, *(each.total_step for each in moments)]
    free = (i for i in range(len(moments) - 1) if moments[i].total_step not in held)
    return min(free, key=lambda i: steps[i + 2] - steps[i], default=None)


def read_timeline(folder: Path) -> Timeline:
    """That of the run in ``folder``; an empty one where there is none, or none that can be read."""
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        listing = json.loads((folder / FOLDER / LISTING).read_text(encoding="utf-8"))
        moments = tuple(Moment(**each) for each in listing["moments"])
        if all(isinstance(each.total_step, int) for each in moments):
            changes = tuple(Change(**each) for each in listing["changes"])
            return Timeline(moments, changes, tuple(map(int, listing.get("held", ()))))
    return Timeline()


def write_timeline(folder: Path, timeline: Timeline) -> Timeline:
    """Keep it within its bounds, and of the files those that it names; returns what is kept. Raises
    StorageError.
    """
    timeline = timeline.thinned(lambda moment: _bytes(full_path(folder, moment.total_step)))
    with atomic_path(folder / FOLDER / LISTING) as partial:
        partial.write_text(json.dumps(asdict(timeline), ensure_ascii=False), encoding="utf-8")
    named = {picture_path(folder, each.total_step).name for each in timeline.moments}
    named |= {
        path.name for each in timeline.moments if each.full and (path := full_path(folder, each.total_step))
    }
    for path in (folder / FOLDER).glob("[0-9]*"):
        if path.name not in named:
            with suppress(OSError):
                path.unlink()
    return timeline


def picture_path(folder: Path, total_step: int) -> Path:
    """A row of square pictures from all round, the front first."""
    return folder / FOLDER / f"{total_step:08d}.jpg"


def save_pictures(folder: Path, total_step: int, images: np.ndarray) -> None:
    """Keep pictures (V,S,S,3) uint8 as one row. Raises StorageError."""
    row = np.ascontiguousarray(images.transpose(1, 0, 2, 3)).reshape(images.shape[1], -1, 3)
    with atomic_path(picture_path(folder, total_step)) as partial:
        Image.fromarray(row).save(partial, "JPEG", quality=QUALITY)


def full_path(folder: Path, total_step: int) -> Path | None:
    """The whole state after a step; None where it was not kept."""
    return next((folder / FOLDER).glob(f"{total_step:08d}.{CHECKPOINT}.*"), None)


def save_full(folder: Path, total_step: int) -> None:
    """Keep the run's newest checkpoint. It is replaced by the next one, never written to, so a second name
    for it is enough.

    Raises StorageError.
    """
    newest = _checkpoint(folder)
    if newest is None:
        raise StorageError(f"There is no checkpoint in {folder}.", "")
    with atomic_path(folder / FOLDER / f"{total_step:08d}.{CHECKPOINT}{newest.suffix}") as partial:
        _linked(newest, partial)


def put_back(folder: Path, total_step: int, target: Path) -> None:
    """Make the state after a step the checkpoint of the run in ``target``. Raises InputError where it was not
    kept.
    """
    kept = full_path(folder, total_step)
    if kept is None:
        raise InputError(
            f"The run's state after step {total_step} was not kept.", "Choose a moment that is marked."
        )
    for path in target.glob(f"{CHECKPOINT}.*"):
        path.unlink(missing_ok=True)
    with atomic_path(target / f"{CHECKPOINT}{kept.suffix}") as partial:
        _linked(kept, partial)


def _checkpoint(folder: Path) -> Path | None:
    names = (
        path
        for path in folder.glob(f"{CHECKPOINT}.*")
        if path.suffix != ".part" and "previous" not in path.name
    )
    return next(names, None)


def _linked(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without second names
        shutil.copyfile(source, target)


def _bytes(path: Path | None) -> int:
    with suppress(OSError):
        return 0 if path is None else path.stat().st_size
    return 0
