"""What is made of a copy of a scene for those who look: frames, strips and clouds, as wishes to the darkroom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.core.camera import Camera
from engine.loop.messages import SceneCopy
from engine.session.frame_renderer import Wish
from engine.session.job_views import Cloud, Frames

if TYPE_CHECKING:
    from engine.loop.frames import SplatArrays

STRIP_SECONDS, CLOUD_SECONDS = 1.0, 0.5  # a newer one is made at most this often, however many ask


def frame_wish(frames: Frames, camera: Camera) -> Wish:
    """A picture (H,W,3) uint8 from ``camera``; the same cameras want the same picture."""
    return Wish(_camera_key(camera), lambda copy: _sealed(frames.render_frame(copy, camera)))


def strip_wish(frames: Frames, size: int) -> Wish:
    """Pictures (V,size,size,3) uint8 from all round."""
    return Wish(("strip", size), lambda copy: _sealed(frames.azimuth_strip(copy, size)), STRIP_SECONDS)


def cloud_wish(frames: Frames, limit: int) -> Wish:
    """At most ``limit`` splats as a `Cloud`."""
    return Wish(("cloud", limit), lambda copy: _cloud(frames.point_cloud(copy, limit), copy), CLOUD_SECONDS)


def _camera_key(camera: Camera) -> tuple[bytes, bytes, int, int]:
    return np.asarray(camera.c2w).tobytes(), np.asarray(camera.K).tobytes(), camera.width, camera.height


def _sealed(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def _cloud(arrays: SplatArrays, copy: SceneCopy) -> Cloud:
    parts = (arrays.centers, arrays.covariances, arrays.rgbs, arrays.opacities)
    return Cloud(*map(_sealed, parts), total_step=copy.total_step, revision=copy.revision)
