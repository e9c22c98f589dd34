"""The field renderer to read: emission-absorption along rays in plain torch. Any dtype, any device, slow.

Along a ray, with densities s_i, interval lengths d_i and colours c_i (arXiv 2003.08934, equation 3):
alpha_i = 1 - exp(-s_i d_i), T_i = exp(-sum_{j<i} s_j d_j), w_i = T_i alpha_i,
rgb = sum w_i c_i, alpha = sum w_i, depth = sum w_i z_i.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.views import Views, composite
from engine.render.field_rays import EARLY_STOP, Rays, rays_through
from engine.scene.field import Field


@dataclass(frozen=True, eq=False)
class Samples:
    """S samples on each of N rays: distance ``t`` (N,S), ``points`` and ``rgb`` (N,S,3), ``weights`` (N,S), 0
    if unseen.
    """

    t: Tensor
    points: Tensor
    rgb: Tensor
    weights: Tensor


def render(
    field: Field,
    cameras: Cameras,
    background: Tensor | None = None,
    *,
    normals: bool = False,
    jitter: Tensor | None = None,
) -> Views:
    """Pictures of ``field`` over ``background`` (None: black). ``normals`` are summed with the same weights
    as colours.

    ``jitter`` (B,H,W) in 0..1 moves each ray's samples within their intervals (0.5 unless given).
    """
    rays = rays_through(field, cameras, jitter)
    samples = march(field, rays)
    picture = (len(cameras), cameras.height, cameras.width, -1)
    rgb = torch.einsum("ns,nsc->nc", samples.weights, samples.rgb).reshape(picture)
    alpha = samples.weights.sum(dim=1).reshape(picture)
    depth = (samples.weights * samples.t * rays.cosine[:, None]).sum(dim=1).reshape(picture)
    normal = _normals(field, samples).reshape(picture) if normals else None
    return Views(composite(rgb, alpha, background), alpha, depth, normal)


def march(field: Field, rays: Rays) -> Samples:
    """Sample the field along the rays and weigh what is found."""
    number = torch.arange(max(1, int(rays.count.max())), device=rays.near.device)
    t = rays.near[:, None] + (number + rays.offset[:, None]) * rays.delta[:, None]
    points = rays.origins[:, None] + t[..., None] * rays.directions[:, None]
    inside = number < rays.count[:, None]
    if field.occupancy is not None:
        inside = inside & field.occupancy.contains(points)
    density, rgb = field.query(points[inside])
    optical_depth = torch.zeros_like(t).masked_scatter(inside, density) * rays.delta[:, None]
    rgb = torch.zeros_like(points).masked_scatter(inside[..., None], rgb)
    return Samples(t, points, rgb, weights_from_optical_depth(optical_depth))


def weights_from_optical_depth(optical_depth: Tensor) -> Tensor:
    """Weights w_i (N,S) from s_i d_i (N,S); samples that less than ``EARLY_STOP`` of the light reaches have
    weight 0.
    """
    passed = F.pad(optical_depth.cumsum(dim=1)[:, :-1], (1, 0))
    transmittance = torch.exp(-passed)
    return torch.where(transmittance >= EARLY_STOP, transmittance * -torch.expm1(-optical_depth), 0)


def _normals(field: Field, samples: Samples) -> Tensor:
    """Weighted sum (N,3) of the normals of the samples that are seen."""
    visible = samples.weights > 0
    normal = torch.zeros_like(samples.points).masked_scatter(
        visible[..., None], field.normals(samples.points[visible])
    )
    return torch.einsum("ns,nsc->nc", samples.weights, normal)
