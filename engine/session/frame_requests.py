"""Requests to the frame renderer: what is made of a copy of a scene for those who look, and where the copy
comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.camera import Camera, LayerCamera
from engine.core.layers import COLOUR
from engine.loop.messages import SceneCopy, Watch
from engine.session.job_views import Cloud, Frames
from engine.session.jobs import Board
from engine.session.library import has_checkpoint
from engine.session.record import ENDED

if TYPE_CHECKING:
    from engine.loop.frames import SplatArrays


STRIP_SECONDS, CLOUD_SECONDS = 1.0, 0.5  # a newer one is made at most this often, however many ask


@dataclass(frozen=True, eq=False)
class FrameRequest:
    """How to make a picture from a copy; two requests with the same ``key`` want the same picture.

    A newer one is made ``every_seconds`` at most.
    """

    key: Hashable
    make: Callable[[SceneCopy], Any]
    every_seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class RenderedFrame:
    """``value`` is what the request with ``key`` made of ``copy``. ``serial`` grows with every frame."""

    serial: int
    key: Hashable
    copy: SceneCopy
    value: Any


@dataclass(eq=False)
class Subscription:
    """Of one watcher of the job ``token``: what is asked for, and the newest frame that was made for it."""

    token: str
    touched: float
    request: FrameRequest | None = None
    waiting: int = 0  # callers inside ``ask`` or ``newest_frame``
    standing: bool = False  # a frame is wanted though nobody waits for it
    frame: RenderedFrame | None = None
    requests: int = 0  # how many it has had that differ from the one before
    # the newest that somebody waits for, not only aimed at: aims may change faster than frames are made
    requested: int = 0
    granted: int = 0  # which of them the frame is of
    failed: tuple[SceneCopy, Hashable] | None = None  # the copy and key that failed: not tried again
    turn: int = 0  # when it was last served
    rests_until: float = float("-inf")

    @property
    def wanted(self) -> bool:
        return self.waiting > 0 or self.standing

    def answers(self, after: int) -> bool:
        """Whether the frame is newer than the serial ``after``, and of what somebody waits for or newer.

        A camera that went away and came back finds its own picture made.
        """
        if self.frame is None or self.request is None or self.frame.serial <= after:
            return False
        return self.granted >= self.requested or self.frame.key == self.request.key

    def asks_for(self, key: Hashable) -> bool:
        """Whether the picture with this ``key`` is what is wanted."""
        return self.request is not None and self.request.key == key

    def lacks(self, copy: SceneCopy) -> bool:
        """Whether a frame should be made of ``copy`` for this subscription."""
        if not self.wanted or self.request is None:
            return False
        if self.failed is not None and self.failed[0] is copy and self.failed[1] == self.request.key:
            return False
        return self.frame is None or self.frame.copy is not copy or self.frame.key != self.request.key


def frame_request(frames: Frames, camera: Camera) -> FrameRequest:
    """A picture (H,W,3) uint8 from ``camera``; the same cameras want the same picture."""
    return FrameRequest(_camera_key(camera), lambda copy: _sealed(frames.render_frame(copy, camera)))


def strip_request(frames: Frames, size: int) -> FrameRequest:
    """Pictures (V,size,size,3) uint8 from all round."""
    return FrameRequest(
        ("strip", size), lambda copy: _sealed(frames.azimuth_strip(copy, size)), STRIP_SECONDS
    )


def cloud_request(frames: Frames, limit: int) -> FrameRequest:
    """At most ``limit`` splats as a `Cloud`."""
    return FrameRequest(
        ("cloud", limit), lambda copy: _cloud(frames.point_cloud(copy, limit), copy), CLOUD_SECONDS
    )


def _camera_key(camera: Camera) -> tuple[bytes, bytes, int, int, str]:
    layer = camera.layer if isinstance(camera, LayerCamera) else COLOUR
    return (
        np.asarray(camera.c2w).tobytes(),
        np.asarray(camera.K).tobytes(),
        camera.width,
        camera.height,
        layer,
    )


def _sealed(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def _cloud(arrays: SplatArrays, copy: SceneCopy) -> Cloud:
    parts = (arrays.centers, arrays.covariances, arrays.rgbs, arrays.opacities)
    return Cloud(*map(_sealed, parts), total_step=copy.total_step, revision=copy.revision)


class JobArchive:
    """The frame renderer's ``Archive``: jobs on a board, scenes in their folders, opened by ``load_copy``
    where there is one.
    """

    def __init__(self, board: Board, load_copy: Callable[[Path], SceneCopy] | None) -> None:
        self._board, self._load_copy = board, load_copy

    def load(self, token: str) -> SceneCopy | None:
        """The scene of a job that rests; None while it is still to come from the run."""
        return (
            self._load_copy(self._board.library.folder(token))
            if self._load_copy and self.can_load(token)
            else None
        )

    def can_load(self, token: str) -> bool:
        """Whether there is a scene on disk, and no run that is about to send a newer one."""
        job = self._board.find(token)
        resting = job is not None and job.record.state not in ("queued", "running")
        return resting and self._load_copy is not None and has_checkpoint(self._board.library.folder(token))

    def may_forget(self, token: str) -> bool:
        """Whether the copy in memory is the one on disk; a paused run is further on than its checkpoint.

        That of a run which was deleted is nobody's any more.
        """
        job = self._board.find(token)
        return job is None or (job.record.state in ENDED and self.can_load(token))

    def busy(self) -> bool:
        """Whether a run goes, which loses time to every picture."""
        return self._board.busy()

    def watch(self, token: str, on: bool) -> None:
        """Tell the run, if there still is one."""
        job = self._board.find(token)
        if job is not None:
            job.commands.post(Watch(on))

    def warn(self, token: str, what: str, remedy: str) -> None:
        """Show it in the job's view."""
        self._board.update(self._board.get(token), lambda record: record.warned(what, remedy))
