"""Keeps the timelines of runs while they go, as the engine's thread tells what happens. A full disk costs a
moment, no run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock

from engine.loop.messages import KnobsApplied, SceneCopy
from engine.loop.recipe import changed_values
from engine.loop.settings import Value, flatten_knobs
from engine.loop.spec import Knobs
from engine.session.eta import total_steps
from engine.session.job_views import Frames
from engine.session.record import JobRecord
from engine.session.timeline import (
    MOST_PICTURES,
    Change,
    Moment,
    Timeline,
    picture_path,
    read_timeline,
    save_full,
    save_pictures,
    write_timeline,
)
from engine.session.two_faced import Faces, faces_in, paints_fronts

SIDE = 160  # pixels of a picture
SHARE = 0.03  # of the engine's time that pictures may take
LEAST_SECONDS, FULL_SECONDS = 0.5, 4.0


class TimelineKeeper:
    """Over the folders of runs, by token; ``load_copy`` opens the scene of a checkpoint, for moments that
    nobody looked at.
    """

    def __init__(
        self,
        folder: Callable[[str], Path],
        frames: Frames,
        load_copy: Callable[[Path], SceneCopy] | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._frames, self._load_copy, self._clock = folder, frames, load_copy, clock
        self._knobs: dict[str, Knobs] = {}  # in force, by token
        self._picture_due: dict[str, float] = {}
        self._full_due: dict[str, float] = {}
        self._newest: dict[str, SceneCopy] = {}
        self._writing = Lock()  # the engine's thread tells what happens, and any other what is to be held

    def timeline(self, token: str) -> Timeline:
        """What is kept of a run."""
        return read_timeline(self._folder(token))

    def applied(self, record: JobRecord, event: KnobsApplied) -> None:
        """Live settings have changed."""
        changed = changed_values(self._in_force(record), event.knobs)
        self._knobs[record.token] = event.knobs
        if changed:
            self._write(
                record.token, lambda timeline: timeline.with_change(Change(event.total_step, _plain(changed)))
            )

    def pictured(self, record: JobRecord, copy: SceneCopy, last: bool = False) -> Faces | None:
        """The scene as it is now: a moment, if the last one was long enough ago, or if this is the ``last``.

        Returns how front and back of it compare, where it has been drawn.
        """
        known, now = self.timeline(record.token).moments, self._clock()
        apart = max(1, total_steps(record.settings.spec, record.progress) // MOST_PICTURES)
        soon = bool(known) and copy.total_step - known[-1].total_step < apart
        if record.progress.stage == "draft" and not last:
            return None  # there is no shape yet
        self._newest[record.token] = copy
        if not last and (now < self._picture_due.get(record.token, now) or soon):
            return None
        drawn = any(each.total_step == copy.total_step for each in known)
        return self._draw(record, copy) if last or not drawn else None

    def kept(self, record: JobRecord, last: bool = False) -> None:
        """A checkpoint was written: now and then, and at the ``last``, it is kept as a moment to go back
        to.
        """
        now, progress = self._clock(), record.progress
        step, over = progress.total_step, progress.stage == "refine" and progress.step >= progress.steps
        if (
            step == 0
            or progress.stage == "draft"
            or (not last and (over or now < self._full_due.get(record.token, now)))
        ):
            return  # from its end on, nothing is left to go on with
        self._full_due[record.token] = now + FULL_SECONDS
        folder = self._folder(record.token)
        with suppress(Exception):
            if (
                not picture_path(folder, step).exists()
                and (copy := self._copy_at(record.token, step)) is not None
            ):
                self._draw(record, copy)
            save_full(folder, step)
            full = replace(_moment(record), full=True, values=_plain(flatten_knobs(self._in_force(record))))
            self._write(record.token, lambda timeline: timeline.with_moment(full))

    def hold(self, token: str, total_step: int) -> None:
        """Somebody looks at this moment, or goes back to it: it stays, see `Timeline.holding`. From any
        thread.
        """
        self._write(token, lambda timeline: timeline.holding(total_step))

    def went_back(self, token: str, total_step: int) -> None:
        """The run goes on from there; what came after is no part of it any more."""
        for known in (self._knobs, self._picture_due, self._full_due, self._newest):
            known.pop(token, None)
        self._write(token, lambda timeline: timeline.until(total_step))

    def forget(self, token: str) -> None:
        """The run has ended."""
        for known in (self._knobs, self._picture_due, self._full_due, self._newest):
            known.pop(token, None)

    def _copy_at(self, token: str, step: int) -> SceneCopy | None:
        """The scene of the newest checkpoint: one that was shown just now, or else from the disk."""
        newest = self._newest.get(token)
        if newest is not None and newest.total_step == step:
            return newest
        return None if self._load_copy is None else self._load_copy(self._folder(token))

    def _draw(self, record: JobRecord, copy: SceneCopy) -> Faces | None:
        began, faces = self._clock(), None
        with suppress(Exception):  # a picture that cannot be drawn is none
            images = self._frames.azimuth_strip(copy, SIDE)
            faces = faces_in(images) if paints_fronts(record.settings.spec.prior) else None
            save_pictures(self._folder(record.token), copy.total_step, images)
            moment = replace(_moment(record), total_step=copy.total_step, revision=copy.revision)
            self._write(record.token, lambda timeline: timeline.with_moment(moment))
        now = self._clock()
        self._picture_due[record.token] = now + max(LEAST_SECONDS, (now - began) / SHARE)
        return faces

    def _write(self, token: str, change: Callable[[Timeline], Timeline]) -> None:
        with self._writing, suppress(Exception):
            write_timeline(self._folder(token), change(self.timeline(token)))

    def _in_force(self, record: JobRecord) -> Knobs:
        if record.token not in self._knobs:
            newest = record.revision == record.progress.revision_applied
            self._knobs[record.token] = record.knobs if newest else record.settings.knobs
        return self._knobs[record.token]


def _moment(record: JobRecord) -> Moment:
    progress = record.progress
    return Moment(progress.total_step, progress.stage, progress.step, progress.revision_applied)


def _plain(values: Mapping[str, object]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if isinstance(value, str | int | float | bool)}
