"""Where the rays of a field renderer run and where they take their samples. Both the readable and the fast
marcher use this.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.core.cameras import Cameras
from engine.scene.field import Field

EARLY_STOP = 1e-4  # a ray ends where less than this share of the light would pass on


@dataclass(frozen=True, eq=False)
class Rays:
    """N rays through the cube. Ray n takes ``count[n]`` samples (0: it misses) in equal intervals of length
    ``delta[n]``.

    Sample i stands at distance ``near + (i + offset) delta`` from the origin, so that intervals tile the
    chord exactly. ``cosine`` turns distance along the ray into view-space z. All are (N,) but ``origins`` and
    ``directions`` (N,3).
    """

    origins: Tensor
    directions: Tensor
    cosine: Tensor
    near: Tensor
    delta: Tensor
    offset: Tensor
    count: Tensor


def rays_through(field: Field, cameras: Cameras, jitter: Tensor | None = None) -> Rays:
    """The rays of all pixels, with intervals of at most a voxel.

    ``jitter`` (B,H,W) in 0..1 is the place of a ray's samples in their intervals; without it they stand in
    the middle.
    """
    like = field.raw_density
    cameras = Cameras(cameras.c2w.to(like), cameras.K.to(like), cameras.width, cameras.height)
    origins, directions = cameras.rays()
    cosine = torch.einsum("bhwi,bi->bhw", directions, cameras.c2w[:, :3, 2]).reshape(-1)
    origins, directions = origins.reshape(-1, 3), directions.reshape(-1, 3)
    near, far = cube_span(origins, directions)
    chord = (far - near).clamp_min(0)
    # chords that are whole voxels must not depend on rounding
    count = (chord / field.voxel - 1e-3).ceil().long()
    offset = torch.full_like(near, 0.5) if jitter is None else jitter.reshape(-1).to(near)
    return Rays(origins, directions, cosine, near, chord / count.clamp_min(1), offset, count)


def cube_span(origins: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Distances (N,) at which rays (N,3) enter and leave the cube [-1,1]^3; near is 0 from inside, and far <
    near is a miss.
    """
    tiny = torch.full_like(directions, 1e-9)
    slopes = torch.where(directions.abs() < 1e-9, tiny, directions)
    first, second = (-1 - origins) / slopes, (1 - origins) / slopes
    near = torch.minimum(first, second).amax(dim=-1).clamp_min(0)
    return near, torch.maximum(first, second).amin(dim=-1)
