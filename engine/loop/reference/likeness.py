"""How much two shapes resemble each other, by their outlines."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.core.cameras import Cameras, orbit_cameras
from engine.prior.base import PriorInfo
from engine.prior.reference.silhouette import outline_iou
from engine.render import Renderer
from engine.scene.base import Scene

AZIMUTHS_DEG = (20.0, 110.0, 200.0, 290.0)
ELEVATION_DEG = 15.0
SIDE = 48


def probe_cameras(info: PriorInfo, side: int = SIDE) -> Cameras:
    """Four all round from a little above, as the prior's; seen from them, shapes are compared."""
    return orbit_cameras(AZIMUTHS_DEG, ELEVATION_DEG, info.distance, info.fov_deg, side)


@dataclass(frozen=True, eq=False)
class Outlines:
    """Silhouettes (B,H,W,1) of the reference from ``cameras``."""

    cameras: Cameras
    mask: Tensor

    @torch.no_grad()
    def likeness(self, scene: Scene, renderer: Renderer) -> float:
        """Mean IoU with those of a scene."""
        alpha = renderer.render(scene, self.cameras, None).alpha
        return float(outline_iou(alpha, self.mask).mean())
