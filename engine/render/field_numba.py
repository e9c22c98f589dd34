"""The field renderer for CPUs: the same samples as ``field_torch``, marched ray by ray, with an analytic backward pass.

Three things make it fast: it leaps over cells that the occupancy grid knows to be empty, it ends a ray where no light is left, and
it keeps what it saw at each sample, so that the backward pass scatters gradients without reading the grid again.
Two threads may render at the same time: the kernels hold no state and release the interpreter lock.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from engine.math.cameras import Cameras
from engine.math.views import Views, composite
from engine.render.field_rays import EARLY_STOP, Rays, rays_through
from engine.scene.field import Field

CLEAR = np.float32(1e-6)  # optical depth of a sample that nobody can see
DARK = np.float32(EARLY_STOP)
ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)


def render(field: Field, cameras: Cameras, background: Tensor | None = None, *,
           normals: bool = False, jitter: Tensor | None = None) -> Views:
    """Pictures of a float32 ``field`` on the CPU over ``background`` (None: black); arguments as in ``field_torch.render``."""
    rays = rays_through(field, cameras, jitter)
    learning = torch.is_grad_enabled() and (field.raw_density.requires_grad or field.raw_colour.requires_grad)
    leaps = np.zeros((1, 1, 1), np.uint8) if field.occupancy is None else field.occupancy.distance.numpy()
    pixels, weights, first, number = _March.apply(field.raw_density, field.raw_colour, leaps, rays, learning or normals)
    picture = (len(cameras), cameras.height, cameras.width, -1)
    rgb, alpha, depth = (part.reshape(picture) for part in pixels.split([3, 1, 1], dim=1))
    normal = _normals(field, rays, weights, first, number).reshape(picture) if normals else None
    return Views(composite(rgb, alpha, background), alpha, depth, normal)


def _normals(field: Field, rays: Rays, weights: Tensor, first: Tensor, number: Tensor) -> Tensor:
    """Sum (N,3) over the samples of each ray of their normals, weighted like colours."""
    ray = torch.repeat_interleave(first.diff())
    t = rays.near[ray] + (number + rays.offset[ray]) * rays.delta[ray]
    found = field.normals(rays.origins[ray] + t[:, None] * rays.directions[ray])
    return torch.zeros_like(rays.origins).index_add(0, ray, weights[:, None] * found)


class _March(torch.autograd.Function):
    """Grids to ``pixels`` (N,5: rgb, alpha, depth) and, if ``keep``, to the ``weights`` (M,) of the M samples that were seen.

    Those of ray n are ``first[n] : first[n + 1]``, and ``number`` (M,) is their place along the ray.
    """

    @staticmethod
    def forward(ctx: Any, raw_density: Tensor, raw_colour: Tensor, leaps: np.ndarray, rays: Rays, keep: bool) -> tuple[Tensor, ...]:
        capacity = int(rays.count.sum()) if keep else 0
        number, seen = np.empty(capacity, np.int32), np.empty((capacity, 5), np.float32)
        first, pixels = np.zeros(len(rays.count) + 1, np.int64), np.zeros((len(rays.count), 5), np.float32)
        _forward(_flat(raw_density), _flat(raw_colour), len(raw_density), leaps, *_arrays(rays), keep, first, number, seen, pixels)
        ctx.rays, ctx.samples, ctx.shapes = rays, (first, number, seen), (raw_density.shape, raw_colour.shape)
        weights = seen[: first[-1], 4].copy()
        outputs = tuple(torch.from_numpy(array) for array in (pixels, weights, first, number[: first[-1]]))
        ctx.mark_non_differentiable(*outputs[2:])
        return outputs

    @staticmethod
    def backward(ctx: Any, grad_pixels: Tensor, grad_weights: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        grads = [torch.zeros(shape) for shape in ctx.shapes]
        _backward(grad_pixels.contiguous().numpy(), grad_weights.contiguous().numpy(), len(grads[0]), *_arrays(ctx.rays), *ctx.samples,
                  *map(_flat, grads))
        return *grads, None, None, None


def _flat(grid: Tensor) -> np.ndarray:
    return grid.detach().contiguous().numpy().reshape(-1)


def _arrays(rays: Rays) -> tuple[np.ndarray, ...]:
    """The rays as the kernels take them."""
    tensors = (rays.origins, rays.directions, rays.cosine, rays.near, rays.delta, rays.offset, rays.count)
    return tuple(tensor.contiguous().numpy() for tensor in tensors)


@njit(cache=True, nogil=True)
def _forward(density, colour, size, leaps, origins, directions, cosine, near, delta, offset, count,
             keep, first, number, seen, pixels):
    """March all rays; fill ``pixels`` and, if ``keep``, what was seen: density, rgb and weight of each sample."""
    cells = len(leaps)
    kept = 0
    for n in range(len(count)):
        step = delta[n]
        fastest = max(abs(directions[n, 0]), abs(directions[n, 1]), abs(directions[n, 2]))
        steps_per_cell = np.float32(2) / (cells * step * fastest) if count[n] else ZERO
        light, red, green, blue, depth = ONE, ZERO, ZERO, ZERO, ZERO
        i = 0
        while i < count[n]:
            t = near[n] + (i + offset[n]) * step
            x, y, z = origins[n, 0] + t * directions[n, 0], origins[n, 1] + t * directions[n, 1], origins[n, 2] + t * directions[n, 2]
            distance = leaps[_cell(x, cells), _cell(y, cells), _cell(z, cells)]
            if distance > 0:
                i += 1 + int((distance - 1) * steps_per_cell)
                continue
            node, fx, fy, fz = _voxel(x, y, z, size)
            sigma = _softplus(_trilinear(density, node, 1, size, fx, fy, fz))
            if sigma * step > CLEAR:
                passing = np.float32(math.exp(-sigma * step))
                weight = light * (ONE - passing)
                r = _sigmoid(_trilinear(colour, 3 * node, 3, size, fx, fy, fz))
                g = _sigmoid(_trilinear(colour, 3 * node + 1, 3, size, fx, fy, fz))
                b = _sigmoid(_trilinear(colour, 3 * node + 2, 3, size, fx, fy, fz))
                red, green, blue, depth = red + weight * r, green + weight * g, blue + weight * b, depth + weight * t
                if keep:
                    number[kept] = i
                    seen[kept, 0], seen[kept, 1], seen[kept, 2], seen[kept, 3], seen[kept, 4] = sigma, r, g, b, weight
                    kept += 1
                light *= passing
                if light < DARK:
                    break
            i += 1
        first[n + 1] = kept
        pixels[n, 0], pixels[n, 1], pixels[n, 2], pixels[n, 3], pixels[n, 4] = red, green, blue, ONE - light, depth * cosine[n]


@njit(cache=True, nogil=True)
def _backward(grad_pixels, grad_weights, size, origins, directions, cosine, near, delta, offset, count, first, number, seen,
              grad_density, grad_colour):
    """Add the gradient of the grids. With g_i the derivative by w_i: d/d(s_i d_i) = T_{i+1} g_i - sum_{j>i} w_j g_j."""
    for n in range(len(count)):
        red, green, blue = grad_pixels[n, 0], grad_pixels[n, 1], grad_pixels[n, 2]
        behind = ZERO  # sum of w_j g_j of the samples from here on
        for m in range(first[n], first[n + 1]):
            t = near[n] + (number[m] + offset[n]) * delta[n]
            behind += seen[m, 4] * _weight_gradient(grad_pixels[n], grad_weights[m], seen[m], t, cosine[n])
        light = ONE
        for m in range(first[n], first[n + 1]):
            t = near[n] + (number[m] + offset[n]) * delta[n]
            gradient = _weight_gradient(grad_pixels[n], grad_weights[m], seen[m], t, cosine[n])
            sigma, r, g, b, weight = seen[m, 0], seen[m, 1], seen[m, 2], seen[m, 3], seen[m, 4]
            light -= weight
            behind -= weight * gradient
            by_density = (light * gradient - behind) * delta[n] * (ONE - np.float32(math.exp(-sigma)))
            by_red, by_green, by_blue = weight * red * r * (ONE - r), weight * green * g * (ONE - g), weight * blue * b * (ONE - b)
            if by_density == ZERO and by_red == ZERO and by_green == ZERO and by_blue == ZERO:
                continue
            node, fx, fy, fz = _voxel(origins[n, 0] + t * directions[n, 0], origins[n, 1] + t * directions[n, 1],
                                      origins[n, 2] + t * directions[n, 2], size)
            for corner in range(8):
                share = (fx if corner & 4 else ONE - fx) * (fy if corner & 2 else ONE - fy) * (fz if corner & 1 else ONE - fz)
                at = node + (corner >> 2) * size * size + ((corner >> 1) & 1) * size + (corner & 1)
                grad_density[at] += share * by_density
                grad_colour[3 * at] += share * by_red
                grad_colour[3 * at + 1] += share * by_green
                grad_colour[3 * at + 2] += share * by_blue


@njit(cache=True, nogil=True)
def _weight_gradient(grad_pixel, grad_weight, sample, t, cosine):
    """Derivative of the loss by the weight of one sample."""
    colour = grad_pixel[0] * sample[1] + grad_pixel[1] * sample[2] + grad_pixel[2] * sample[3]
    return colour + grad_pixel[3] + grad_pixel[4] * t * cosine + grad_weight


@njit(cache=True, nogil=True)
def _cell(x, cells):
    """Index on one axis of the occupancy cell that holds coordinate ``x``."""
    return min(max(int((x + ONE) * HALF * np.float32(cells)), 0), cells - 1)


@njit(cache=True, nogil=True)
def _voxel(x, y, z, size):
    """Flat index of the lowest corner of the voxel that holds a point, and the point's place in it."""
    scale = HALF * np.float32(size - 1)
    u, v, w = (x + ONE) * scale, (y + ONE) * scale, (z + ONE) * scale
    i, j, k = min(max(int(u), 0), size - 2), min(max(int(v), 0), size - 2), min(max(int(w), 0), size - 2)
    fx, fy, fz = min(max(u - np.float32(i), ZERO), ONE), min(max(v - np.float32(j), ZERO), ONE), min(max(w - np.float32(k), ZERO), ONE)
    return (i * size + j) * size + k, fx, fy, fz


@njit(cache=True, nogil=True)
def _trilinear(grid, at, channels, size, fx, fy, fz):
    """Interpolate one channel of the flat ``grid`` in the voxel whose lowest corner is ``at``."""
    up, across = channels * size, channels * size * size
    a = grid[at] + fz * (grid[at + channels] - grid[at])
    b = grid[at + up] + fz * (grid[at + up + channels] - grid[at + up])
    at += across
    c = grid[at] + fz * (grid[at + channels] - grid[at])
    d = grid[at + up] + fz * (grid[at + up + channels] - grid[at + up])
    a, c = a + fy * (b - a), c + fy * (d - c)
    return a + fx * (c - a)


@njit(cache=True, nogil=True)
def _softplus(x):
    return max(x, ZERO) + np.float32(math.log1p(math.exp(-abs(x))))


@njit(cache=True, nogil=True)
def _sigmoid(x):
    return ONE / (ONE + np.float32(math.exp(-x)))
