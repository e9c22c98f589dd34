"""What the floors above see of a job: frozen snapshots, numpy arrays that nobody may write to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from engine.core.camera import Camera
from engine.loop.messages import SceneCopy
from engine.loop.settings import Settings, Value
from engine.loop.spec import Knobs
from engine.session.eta import total_steps
from engine.session.record import JobRecord, State

if TYPE_CHECKING:
    from engine.loop.frames import SplatArrays


class Frames(Protocol):
    """Pictures and arrays of a scene copy: the module ``engine.loop.frames``, or a double of it."""

    def render_frame(self, copy: SceneCopy, camera: Camera) -> np.ndarray: ...

    def azimuth_strip(self, copy: SceneCopy, size: int) -> np.ndarray: ...

    def point_cloud(self, copy: SceneCopy, limit: int) -> SplatArrays: ...


@dataclass(frozen=True)
class JobView:
    """A job as it is now.

    ``queue_position`` is 1 for the job that runs next, 0 for one that does not wait. ``revision`` is the
    newest knobs asked for, ``revision_applied`` those that the newest step used, from ``applied_at_step`` on.
    ``losses`` are (total_step, loss) over the whole run, thinned to at most 200. ``warnings`` and ``error``
    are (what, remedy). ``settings`` are those of the submission, ``knobs`` the newest asked for.
    ``total_steps`` are those of all stages, and ``eta_seconds`` goes on until the files are written.
    ``seconds_to_first_picture`` counts from when the engine took the job up. ``traces`` are like ``losses``,
    by metric. ``undoable`` is what `Session.undo_knobs` would set, by name. ``two_faced``: its back looks
    like a second front.
    """

    token: str
    title: str
    state: State
    queue_position: int
    stage: str
    step: int
    steps: int
    total_step: int
    total_steps: int
    steps_per_second: float
    eta_seconds: float
    seconds: float
    revision: int
    revision_applied: int
    applied_at_step: int
    losses: tuple[tuple[int, float], ...]
    metrics: Mapping[str, float]
    warnings: tuple[tuple[str, str], ...]
    error: tuple[str, str] | None
    files: Mapping[str, Path]
    settings: Settings
    knobs: Knobs
    seconds_to_first_picture: float | None
    traces: Mapping[str, tuple[tuple[int, float], ...]] = field(default_factory=dict)
    undoable: Mapping[str, Value] = field(default_factory=dict)
    two_faced: bool = False


def view_of(record: JobRecord, folder: Path, queue_position: int) -> JobView:
    """The view of a job whose files lie in ``folder``."""
    progress = record.progress
    return JobView(
        token=record.token,
        title=record.title,
        state=record.state,
        queue_position=queue_position,
        stage=progress.stage,
        step=progress.step,
        steps=progress.steps,
        total_step=progress.total_step,
        total_steps=total_steps(record.settings.spec, progress),
        steps_per_second=progress.steps_per_second,
        eta_seconds=progress.eta_seconds,
        seconds=progress.seconds,
        revision=record.revision,
        revision_applied=progress.revision_applied,
        applied_at_step=progress.applied_at_step,
        losses=progress.history.shown(),
        metrics=progress.metrics,
        warnings=record.warnings,
        error=record.error,
        files={name: folder / file for name, file in record.files.items()},
        settings=record.settings,
        knobs=record.knobs,
        seconds_to_first_picture=progress.seconds_to_first_picture,
        traces={name: history.shown() for name, history in progress.traces.items()},
    )


@dataclass(frozen=True, eq=False)
class Frame:
    """``rgb`` (H,W,3) uint8 of the scene after ``total_step``. ``serial`` grows with every picture that is
    rendered.
    """

    rgb: np.ndarray
    total_step: int
    revision: int
    serial: int


@dataclass(frozen=True, eq=False)
class Strip:
    """``images`` (V,H,W,3) uint8: the object all the way round, from its front towards +y."""

    images: np.ndarray
    total_step: int
    revision: int


@dataclass(frozen=True, eq=False)
class Cloud:
    """Splats as a viewer takes them: ``centers`` (N,3), ``covariances`` (N,3,3), ``rgbs`` (N,3),
    ``opacities`` (N,1), float32.
    """

    centers: np.ndarray
    covariances: np.ndarray
    rgbs: np.ndarray
    opacities: np.ndarray
    total_step: int
    revision: int
