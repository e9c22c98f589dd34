"""What else pictures of a scene can show than its colours: depth, normals, alpha."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from engine.assets.export.formats.base import Lamp
from engine.core.camera import Camera, orbit_position
from engine.core.cameras import Cameras, cameras_from
from engine.core.layers import COLOUR, LAYERS
from engine.core.normals import camera_normals
from engine.core.views import Views
from engine.errors import InputError
from engine.loop.messages import SceneCopy
from engine.loop.shown_scene import device_of, shown, to_uint8
from engine.render import choose

AMBIENT, BRIGHTEST = 0.35, 1.25
UNLIT = Lamp()


def render_layer(
    copy: SceneCopy, cameras: Sequence[Camera], layer: str = COLOUR, lamp: Lamp = UNLIT
) -> np.ndarray:
    """uint8 (B,H,W,4) premultiplied pictures of one of `LAYERS`; colours are lit by ``lamp``. Raises
    `InputError` for another.
    """
    if layer not in LAYERS:
        raise InputError(f"There is no layer {layer!r}.", f"Choose among: {', '.join(LAYERS)}.")
    pixel = min(float(np.linalg.norm(camera.c2w[:3, 3]) / camera.K[1, 1]) for camera in cameras)
    scene, batch = shown(copy, pixel), cameras_from(cameras).to(device_of(copy))
    with torch.no_grad():
        views = choose(scene, copy.backend).render(scene, batch, None)
        drawn = _DRAWN[layer](views, batch)
        drawn = lit(drawn, views, batch, lamp) if layer == COLOUR and lamp.strength else drawn
        return to_uint8(torch.cat([drawn, views.alpha], dim=-1))


def lit(rgb: Tensor, views: Views, cameras: Cameras, lamp: Lamp) -> Tensor:
    """Colours (B,H,W,3) as a lamp far away shows them: Lambert's cosine, over a third of light from
    everywhere.
    """
    normal = camera_normals(views.depth, views.alpha, cameras)
    world = torch.einsum("bij,bhwj->bhwi", cameras.c2w[:, :3, :3].to(normal), normal)
    towards = normal.new_tensor(orbit_position(lamp.azimuth_deg, lamp.elevation_deg, 1.0))
    light = AMBIENT + (BRIGHTEST - AMBIENT) * (world @ towards).clamp(min=0)[..., None]
    return (rgb * (1 - lamp.strength + lamp.strength * light)).minimum(views.alpha)


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


_DRAWN: dict[str, Callable[[Views, Cameras], Tensor]] = dict(zip(LAYERS, (_colour, _depth, _normal, _alpha)))
