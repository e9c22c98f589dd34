"""Pictures and arrays of a scene copy, in numpy: all that the floors above need to show one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.assets.export.sheet import BACKGROUND
from engine.core.camera import Camera, LayerCamera, orbit_camera
from engine.core.cameras import cameras_from
from engine.core.layers import COLOUR
from engine.core.views import Views
from engine.loop.layers import render_layer
from engine.loop.messages import SceneCopy
from engine.loop.shown_scene import device_of, shown, to_uint8
from engine.render import choose
from engine.scene import splats

Colour = tuple[float, float, float]
# the light ground of sheets and turntables
PAPER: Colour = (
    BACKGROUND[0] / 255,
    BACKGROUND[1] / 255,
    BACKGROUND[2] / 255,
)
STRIP_ELEVATION_DEG = 15.0


@dataclass(frozen=True, eq=False)
class SplatArrays:
    """Splats as a viewer takes them, float32.

    ``centers`` (N,3), ``covariances`` (N,3,3), ``rgbs`` (N,3) and ``opacities`` (N,1) in 0..1.
    """

    centers: np.ndarray
    covariances: np.ndarray
    rgbs: np.ndarray
    opacities: np.ndarray


def render_frames(copy: SceneCopy, cameras: Sequence[Camera], background: Colour = PAPER) -> np.ndarray:
    """uint8 (B,H,W,3) pictures of the copy."""
    with torch.no_grad():
        return to_uint8(_views(copy, cameras, background).rgb)


def render_rgba(copy: SceneCopy, cameras: Sequence[Camera]) -> np.ndarray:
    """uint8 (B,H,W,4) pictures with premultiplied colour."""
    with torch.no_grad():
        views = _views(copy, cameras, None)
        return to_uint8(views.rgba)


def _views(copy: SceneCopy, cameras: Sequence[Camera], background: Colour | None) -> Views:
    scene = shown(copy, min(float(np.linalg.norm(camera.c2w[:3, 3]) / camera.K[1, 1]) for camera in cameras))
    device = device_of(copy)
    colour = None if background is None else torch.tensor(background, device=device)
    return choose(scene, copy.backend).render(scene, cameras_from(cameras).to(device), colour)


def render_frame(copy: SceneCopy, camera: Camera, background: Colour = PAPER) -> np.ndarray:
    """uint8 (H,W,3) picture of the copy; what a `LayerCamera` sees stands before black."""
    if isinstance(camera, LayerCamera) and camera.layer != COLOUR:
        return np.ascontiguousarray(render_layer(copy, [camera], camera.layer)[0, ..., :3])
    return render_frames(copy, [camera], background)[0]


def strip_cameras(copy: SceneCopy, size: int, count: int = 8) -> list[Camera]:
    """``count`` cameras evenly round the object, from its front towards +y."""
    return [
        orbit_camera(360.0 * i / count, STRIP_ELEVATION_DEG, copy.distance, copy.fov_deg, size)
        for i in range(count)
    ]


def azimuth_strip(copy: SceneCopy, size: int, count: int = 8, background: Colour = PAPER) -> np.ndarray:
    """uint8 (count,size,size,3): the object all the way round."""
    return render_frames(copy, strip_cameras(copy, size, count), background)


def point_cloud(copy: SceneCopy, limit: int) -> SplatArrays:
    """At most ``limit`` splats, the ones that cover most kept; empty for scenes that are not made of
    splats.
    """
    scene = shown(copy)
    if not isinstance(scene, splats.Splats):
        return SplatArrays(*[np.zeros((0, *shape), np.float32) for shape in ((3,), (3, 3), (3,), (1,))])
    with torch.no_grad():
        weight = scene.opacities * scene.scales.topk(2, dim=1).values.prod(dim=1)
        kept = torch.argsort(weight, descending=True)[:limit].sort().values
        parts = (
            scene.means[kept],
            splats.covariances(scene)[kept],
            scene.rgb[kept],
            scene.opacities[kept, None],
        )
        return SplatArrays(*[part.float().cpu().numpy() for part in parts])
