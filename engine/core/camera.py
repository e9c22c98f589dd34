"""One camera, in numpy: what travels in messages between threads, processes and the page.

Axes are OpenCV's: +x right, +y down, +z forward. The world has +z up. Azimuth is measured in degrees from +x
towards +y, elevation in degrees above the horizon; an object's front faces azimuth 0, so a camera at azimuth
0 sees the front. The field of view is vertical. Pixel centres lie at half-integers. Batches for rendering are
``engine.core.cameras.Cameras``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.core.layers import COLOUR

OPENCV_FROM_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Camera:
    """``c2w`` (4,4) float32 camera to world, ``K`` (3,3) float32 in pixels, image ``width`` x ``height``."""

    c2w: np.ndarray
    K: np.ndarray
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class LayerCamera(Camera):
    """A camera whose pictures show one of `engine.core.layers`."""

    layer: str = COLOUR


def intrinsics(fov_deg: float, width: int, height: int) -> np.ndarray:
    """K (3,3) of a pinhole with vertical field of view ``fov_deg`` and square pixels, principal point at the
    centre.
    """
    focal = 0.5 * height / np.tan(np.radians(fov_deg) / 2)
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]], dtype=np.float32)


def look_at(position: np.ndarray, target: np.ndarray, up: ArrayLike = (0.0, 0.0, 1.0)) -> np.ndarray:
    """c2w (4,4) of a camera at ``position`` (3,) that looks at ``target`` (3,); ``up`` must not be parallel
    to the view.
    """
    forward = np.asarray(target, dtype=np.float64) - position
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, np.asarray(up, dtype=np.float64))
    right /= np.linalg.norm(right)
    c2w = np.eye(4)
    c2w[:3, 0], c2w[:3, 1], c2w[:3, 2], c2w[:3, 3] = right, np.cross(forward, right), forward, position
    return c2w.astype(np.float32)


def orbit_position(azimuth_deg: float, elevation_deg: float, distance: float) -> np.ndarray:
    """Point (3,) at ``distance`` from the origin in the direction of azimuth and elevation."""
    azimuth, elevation = np.radians(azimuth_deg), np.radians(elevation_deg)
    return distance * np.array(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
    )


SIDES: dict[float, str] = {0: "Front", 90: "Left", 180: "Back", 270: "Right"}
"""Azimuths with a name: the object's own left and right, as of somebody who faces azimuth 0."""


def side_name(azimuth_deg: float) -> str:
    """What a view from this azimuth shows, in a word; "45°" between the sides."""
    turned = round(azimuth_deg % 360, 1) % 360
    return SIDES.get(turned, f"{turned:g}°")


def orbit_c2w(
    azimuth_deg: float,
    elevation_deg: float,
    distance: float,
    target: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> np.ndarray:
    """c2w (4,4) of a camera on a sphere round ``target``; straight up and down, image-up is towards azimuth +
    180.
    """
    centre = np.asarray(target, dtype=np.float64)
    elevation_deg = float(np.clip(elevation_deg, -89.99, 89.99))  # at the poles the up direction is undefined
    return look_at(centre + orbit_position(azimuth_deg, elevation_deg, distance), centre)


def orbit_camera(
    azimuth_deg: float,
    elevation_deg: float,
    distance: float,
    fov_deg: float,
    width: int,
    height: int | None = None,
) -> Camera:
    """Camera on a sphere round the origin, ``width`` x ``height`` pixels (square unless told)."""
    height = width if height is None else height
    return Camera(
        orbit_c2w(azimuth_deg, elevation_deg, distance), intrinsics(fov_deg, width, height), width, height
    )


def c2w_from_opengl(c2w: np.ndarray) -> np.ndarray:
    """c2w (...,4,4) with OpenGL axes (+y up, -z forward; Blender, threestudio, glTF) to OpenCV axes; its own
    inverse.
    """
    return c2w @ OPENCV_FROM_OPENGL


def c2w_from_wxyz(wxyz: np.ndarray, position: np.ndarray) -> np.ndarray:
    """c2w (4,4) from a unit quaternion (w,x,y,z) and a position (3,): viser's camera, which has OpenCV axes
    already.
    """
    w, x, y, z = np.asarray(wxyz, dtype=np.float64) / np.linalg.norm(wxyz)
    c2w = np.eye(4)
    c2w[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    c2w[:3, 3] = position
    return c2w.astype(np.float32)
