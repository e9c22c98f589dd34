"""What else pictures of a scene can show than its colours: depth, normals, alpha."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from engine.core.camera import Camera
from engine.core.cameras import Cameras, cameras_from
from engine.core.normals import camera_normals
from engine.core.views import Views
from engine.errors import InputError
from engine.loop.frames import device_of, shown, to_uint8
from engine.loop.messages import SceneCopy
from engine.render import choose

COLOUR = "colour"


def render_layer(copy: SceneCopy, cameras: Sequence[Camera], layer: str = COLOUR) -> np.ndarray:
    """uint8 (B,H,W,4) premultiplied pictures of one of `LAYERS`. Raises `InputError` for another."""
    if layer not in LAYERS:
        raise InputError(f"There is no layer {layer!r}.", f"Choose among: {', '.join(LAYERS)}.")
    pixel = min(float(np.linalg.norm(camera.c2w[:3, 3]) / camera.K[1, 1]) for camera in cameras)
    scene, batch = shown(copy, pixel), cameras_from(cameras).to(device_of(copy))
    with torch.no_grad():
        views = choose(scene, copy.backend).render(scene, batch, None)
        return to_uint8(torch.cat([LAYERS[layer](views, batch), views.alpha], dim=-1))


def _colour(views: Views, cameras: Cameras) -> Tensor:
    return views.rgb


def _depth(views: Views, cameras: Cameras) -> Tensor:
    """White one unit before the middle of the space, black one unit behind it."""
    distance = cameras.positions.norm(dim=1)[:, None, None, None]
    depth = views.depth / views.alpha.clamp(min=1e-3)
    return (views.alpha * (0.5 + 0.5 * (distance - depth)).clamp(0, 1)).expand(-1, -1, -1, 3)


def _normal(views: Views, cameras: Cameras) -> Tensor:
    """As tools paint normals: red to the right, green up, blue towards the viewer."""
    normal = camera_normals(views.depth, views.alpha, cameras) * views.rgb.new_tensor([1, -1, -1])
    return views.alpha * (0.5 + 0.5 * normal)


def _alpha(views: Views, cameras: Cameras) -> Tensor:
    return views.alpha.expand(-1, -1, -1, 3)


LAYERS: dict[str, Callable[[Views, Cameras], Tensor]] = {
    COLOUR: _colour,
    "depth": _depth,
    "normal": _normal,
    "alpha": _alpha,
}
