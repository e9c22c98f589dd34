"""The cameras of viser's clients: as cameras of ours, and linked with the live pictures of the same pages."""

from __future__ import annotations

import math
from contextlib import ExitStack

import numpy as np
from viser import CameraHandle, ClientHandle

from engine.core.camera import Camera, c2w_from_wxyz, intrinsics, orbit_position
from studio.eye import vertical_fov_deg
from studio.linked_cameras import Orbit, orbit_of
from studio.linked_halves import Linked

PICTURE_SIDE = 384
STEEPEST_DEG = 89.0  # viser's controls lose the up direction at the pole


def picture_camera(handle: CameraHandle, side: int = PICTURE_SIDE) -> Camera:
    """viser's camera (OpenCV axes, vertical field of view) as ours, with its longer side ``side`` pixels."""
    scale = side / max(handle.image_width, handle.image_height, 1)
    width, height = (max(16, round(pixels * scale)) for pixels in (handle.image_width, handle.image_height))
    return Camera(
        c2w_from_wxyz(handle.wxyz, handle.position),
        intrinsics(math.degrees(handle.fov), width, height),
        width,
        height,
    )


def join_camera(client: ClientHandle, name: str, cameras: Linked[Orbit], link: ExitStack) -> None:
    """Link a client's camera with that of the page ``name``, until ``link`` is closed."""
    link.enter_context(cameras.joined(name, "viewport", lambda orbit: look_from(client, orbit)))
    if (orbit := cameras.value(name)) is not None:
        look_from(client, orbit)

    @client.camera.on_update
    async def moved(camera: CameraHandle) -> None:
        if (orbit := orbit_of(camera.position, camera.look_at)) is not None:
            cameras.move(name, "viewport", orbit)


def look_from(client: ClientHandle, orbit: Orbit) -> None:
    """Put a client's camera there, looking at the middle through the lens of the live picture."""
    camera = client.camera
    elevation_deg = min(max(orbit.elevation_deg, -STEEPEST_DEG), STEEPEST_DEG)
    with client.atomic():
        camera.fov = math.radians(vertical_fov_deg(max(camera.image_width, 1) / max(camera.image_height, 1)))
        camera.position = orbit_position(orbit.azimuth_deg, elevation_deg, orbit.distance)
        camera.look_at = np.zeros(3)
