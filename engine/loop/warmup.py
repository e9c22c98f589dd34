"""Compile the CPU renderers before anybody waits for them.

numba compiles a kernel at its first use, which takes ten to twenty seconds on a machine that has never run
it, and keeps it on disk for the next process.
"""

from __future__ import annotations

import numpy as np
import torch

from engine.core.camera import orbit_camera
from engine.core.cameras import orbit_cameras
from engine.loop.carving import carved
from engine.loop.frames import render_frame
from engine.loop.messages import SceneCopy
from engine.loop.volume import colours_at, occupancy_grid
from engine.render import choose
from engine.scene import field, splats

CAMERA = (0.0, 10.0, 3.05, 40.0, 16)


def warm_up() -> None:
    """Draw a tiny scene of each kind forward, backward and as a frame, and make a mesh of one."""
    rng = torch.Generator().manual_seed(0)
    first = field.blob(8, 0.5, rng)
    scenes = (
        splats.random_ball(16, 0.5, 0.1, rng),
        field.Field(first.raw_density, first.raw_colour, field.update_occupancy(first, None, 0)),
    )
    cameras = orbit_cameras([CAMERA[0]], CAMERA[1], *CAMERA[2:])
    for scene in scenes:
        for tensor in scene.parameters().values():
            tensor.requires_grad_()
        choose(scene).render(scene, cameras, None).rgb.sum().backward()
        copy = SceneCopy(0, 0, scene.frozen_copy(), "auto", CAMERA[3], CAMERA[2])
        render_frame(copy, orbit_camera(*CAMERA))
    cloud = scenes[0].frozen_copy()
    carved(cloud, occupancy_grid(cloud, 16), 0.1, CAMERA[3], CAMERA[2])
    colours_at(cloud, np.zeros((1, 3)))
