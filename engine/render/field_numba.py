"""The field renderer for CPUs: the same samples as ``field_torch``, marched ray by ray, with an analytic
backward pass.

Three things make it fast: it leaps over cells that the occupancy grid knows to be empty, it ends a ray where
no light is left, and it keeps what it saw at each sample, so that the backward pass scatters gradients
without reading the grid again. Two threads may render at the same time: the kernels hold no state and release
the interpreter lock.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.views import Views, composite
from engine.render.field_kernels import march_all, march_backward
from engine.render.field_rays import Rays, rays_through
from engine.scene.field import Field


def render(
    field: Field,
    cameras: Cameras,
    background: Tensor | None = None,
    *,
    normals: bool = False,
    jitter: Tensor | None = None,
) -> Views:
    """Pictures of ``field`` over ``background`` (None: black), in float32; arguments as in
    ``field_torch.render``.

    A field on another device is drawn on the CPU, and the pictures are returned to that device. Cameras get
    no gradient.
    """
    device, field = field.device, _on_cpu(field)
    rays = rays_through(field, cameras, jitter)
    learning = torch.is_grad_enabled() and (field.raw_density.requires_grad or field.raw_colour.requires_grad)
    leaps = np.zeros((1, 1, 1), np.uint8) if field.occupancy is None else field.occupancy.distance.numpy()
    pixels, weights, first, number = _March.apply(
        field.raw_density, field.raw_colour, leaps, rays, learning or normals
    )
    picture = (len(cameras), cameras.height, cameras.width, -1)
    rgb, alpha, depth = (part.reshape(picture).to(device) for part in pixels.split([3, 1, 1], dim=1))
    normal = _normals(field, rays, weights, first, number).reshape(picture).to(device) if normals else None
    return Views(composite(rgb, alpha, background), alpha, depth, normal)


def _on_cpu(field: Field) -> Field:
    """The field in float32 on the CPU, still tied to the tensors that are optimised."""
    occupancy = None if field.occupancy is None else field.occupancy.to("cpu")
    return Field(field.raw_density.cpu().float(), field.raw_colour.cpu().float(), occupancy)


def _normals(field: Field, rays: Rays, weights: Tensor, first: Tensor, number: Tensor) -> Tensor:
    """Sum (N,3) over the samples of each ray of their normals, weighted like colours."""
    ray = torch.repeat_interleave(first.diff())
    t = rays.near[ray] + (number + rays.offset[ray]) * rays.delta[ray]
    normals = field.normals(rays.origins[ray] + t[:, None] * rays.directions[ray])
    return torch.zeros_like(rays.origins).index_add(0, ray, weights[:, None] * normals)


class _March(torch.autograd.Function):
    """Grids to ``pixels`` (N,5: rgb, alpha, depth) and, if ``keep``, to the ``weights`` (M,) of the M samples
    that were seen.

    Those of ray n are ``first[n] : first[n + 1]``, and ``number`` (M,) is their place along the ray.
    """

    @staticmethod
    def forward(
        ctx: Any, raw_density: Tensor, raw_colour: Tensor, leaps: np.ndarray, rays: Rays, keep: bool
    ) -> tuple[Tensor, ...]:
        table, count = _table(rays), rays.count.numpy()
        capacity = int(count.sum()) if keep else 0  # memory that is not written is not taken
        number, samples = np.empty(capacity, np.int32), np.empty((capacity, 5), np.float32)
        first, pixels = np.zeros(len(count) + 1, np.int64), np.empty((len(count), 5), np.float32)
        march_all(
            _flat(raw_density),
            _flat(raw_colour),
            len(raw_density),
            leaps,
            table,
            count,
            keep,
            first,
            number,
            samples,
            pixels,
        )
        ctx.samples, ctx.shapes = (table, first, number, samples), (raw_density.shape, raw_colour.shape)
        kept = first[-1]
        outputs = tuple(
            torch.from_numpy(array) for array in (pixels, samples[:kept, 4].copy(), first, number[:kept])
        )
        ctx.mark_non_differentiable(*outputs[2:])
        return outputs

    @staticmethod
    def backward(
        ctx: Any, grad_pixels: Tensor, grad_weights: Tensor, *_: Tensor
    ) -> tuple[Tensor | None, ...]:
        density, colour = (torch.zeros(shape) for shape in ctx.shapes)
        table, first, number, samples = ctx.samples
        gradients = grad_pixels.contiguous().numpy(), grad_weights.contiguous().numpy()
        march_backward(*gradients, len(density), table, first, number, samples, _flat(density), _flat(colour))
        return density, colour, None, None, None


def _flat(grid: Tensor) -> np.ndarray:
    return grid.detach().contiguous().numpy().reshape(-1)


def _table(rays: Rays) -> np.ndarray:
    """The rays (N,10) as the kernels take them."""
    columns = torch.stack([rays.cosine, rays.near, rays.delta, rays.offset], dim=1)
    return torch.cat([rays.origins, rays.directions, columns], dim=1).numpy()
