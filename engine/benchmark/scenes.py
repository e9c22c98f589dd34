"""Scenes to time renderers with: settled ones, like a finished object, and fresh ones, as a run begins."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from engine.core.cameras import Cameras, orbit_cameras
from engine.loop.stages import BALL_RADIUS, BALL_SPLAT_SCALE
from engine.scene import field, splats
from engine.scene.base import Scene

Kind = Literal["splats", "field"]
State = Literal["settled", "fresh"]

RADIUS = 0.7  # of the settled ball
THICKNESS = 0.2  # of a settled splat, in its widths
OPACITY, DENSITY = 0.9, 60.0
FRESH_OPACITY = 0.1
AZIMUTH_DEG, ELEVATION_DEG, DISTANCE, FOV_DEG = 30.0, 15.0, 3.05, 40.0


@dataclass(frozen=True)
class Case:
    """A ``kind`` of scene of ``size`` splats, or voxels a side, drawn once at ``pixels`` a side."""

    kind: Kind
    state: State
    size: int
    pixels: int

    @property
    def key(self) -> str:
        """A name for documents, for example ``splats.settled.20000.128px``."""
        return f"{self.kind}.{self.state}.{self.size}.{self.pixels}px"

    @property
    def title(self) -> str:
        """A name for people."""
        return f"{self.kind}, {self.state}, {self.size_title}, {self.pixels} px"

    @property
    def size_title(self) -> str:
        """The size for people."""
        return f"{self.size / 1000:g} k" if self.kind == "splats" else f"{self.size}³"


def scene_of(case: Case) -> Scene:
    """The scene of a case, ready to learn; the same each time."""
    rng = torch.Generator().manual_seed(case.size)
    if case.kind == "splats":
        scene = _shell(case.size, rng) if case.state == "settled" else _cloud(case.size, rng)
    else:
        scene = _ball(case.size) if case.state == "settled" else field.blob(case.size, BALL_RADIUS, rng)
        scene = replace(scene, occupancy=field.update_occupancy(scene, None, 0))
    for tensor in scene.parameters().values():
        tensor.requires_grad_()
    return scene


def camera_of(case: Case) -> Cameras:
    """One camera that has the whole object in view."""
    return orbit_cameras([AZIMUTH_DEG], ELEVATION_DEG, DISTANCE, FOV_DEG, case.pixels)


def _shell(count: int, rng: torch.Generator) -> splats.Splats:
    """Flat, nearly opaque splats that cover the surface of a ball, each as wide as its share of it."""
    normals = torch.nn.functional.normalize(torch.randn(count, 3, generator=rng), dim=1)
    width = RADIUS * math.sqrt(4 / count)  # a circle of this radius has the area of one share
    cloud = splats.from_points(RADIUS * normals, (normals + 1) / 2, width, OPACITY)
    flat = cloud.log_scales + torch.tensor([1.0, 1.0, THICKNESS]).log()
    return replace(cloud, log_scales=flat, quats=_from_z_to(normals))


def _from_z_to(normals: Tensor) -> Tensor:
    """Quaternions (N,4) w,x,y,z of any length that turn +z to ``normals`` (N,3)."""
    x, y, z = normals.unbind(1)
    return torch.stack([1 + z, -y, x, torch.zeros_like(z)], dim=1)


def _cloud(count: int, rng: torch.Generator) -> splats.Splats:
    """The ball of faint splats that a run without a draft begins with."""
    return splats.random_ball(count, BALL_RADIUS, BALL_SPLAT_SCALE, rng, FRESH_OPACITY)


def _ball(voxels: int) -> field.Field:
    """A dense ball with a soft edge one voxel wide, coloured by direction."""
    nodes = field.node_positions(voxels)
    distance = nodes.norm(dim=-1)
    inside = ((RADIUS - distance) * (voxels - 1) / 2 + 0.5).clamp(0, 1)
    return field.from_density(DENSITY * inside, (nodes + 1) / 2)
