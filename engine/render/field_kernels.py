"""Numba kernels that march rays through a field, and the gradient of that; see `field_numba`."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from engine.render.field_rays import EARLY_STOP

CLEAR = np.float32(1e-6)  # optical depth of a sample that nobody can see
DARK = np.float32(EARLY_STOP)
ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)
COSINE, NEAR, DELTA, OFFSET = 6, 7, 8, 9  # columns of a ray, after its origin and direction

# fused multiply-adds only: what is not a number must stay so
kernel = njit(cache=True, nogil=True, fastmath={"contract"})


@kernel
def march_all(density, colour, size, leaps, rays, count, keep, first, number, samples, pixels):
    """March all rays: fill ``pixels`` and, if ``keep``, what was seen at each sample: density, rgb and
    weight.
    """
    kept = 0
    for n in range(len(count)):
        kept = _march(density, colour, size, leaps, rays, n, count[n], keep, kept, number, samples, pixels)
        first[n + 1] = kept


@kernel
def _march(density, colour, size, leaps, rays, n, count, keep, kept, number, samples, pixels):
    """March ray ``n``; the number of samples kept from all rays so far."""
    ray = _ray(rays, n)
    cells, step = len(leaps), ray[DELTA]
    cells_per_step = HALF * np.float32(cells) * step * max(abs(ray[3]), abs(ray[4]), abs(ray[5]))
    steps_per_cell = ONE / cells_per_step if count else ZERO
    light, red, green, blue, depth = ONE, ZERO, ZERO, ZERO, ZERO
    i = 0
    while i < count and not light < DARK:
        t, x, y, z = _point(ray, i)
        distance = leaps[_cell(x, cells), _cell(y, cells), _cell(z, cells)]
        if distance > 0:  # nothing in all cells closer than that, whichever way the ray goes
            i += 1 + int(np.float32(distance - 1) * steps_per_cell)
            continue
        node, fx, fy, fz = _voxel(x, y, z, size)
        sigma = _softplus(_trilinear(density, node, 1, size, fx, fy, fz))
        if not sigma * step <= CLEAR:  # so that a density that is not a number is seen
            passing = np.float32(math.exp(-sigma * step))
            weight = light * (ONE - passing)
            r = _sigmoid(_trilinear(colour, 3 * node, 3, size, fx, fy, fz))
            g = _sigmoid(_trilinear(colour, 3 * node + 1, 3, size, fx, fy, fz))
            b = _sigmoid(_trilinear(colour, 3 * node + 2, 3, size, fx, fy, fz))
            red, green, blue, depth = (
                red + weight * r,
                green + weight * g,
                blue + weight * b,
                depth + weight * t,
            )
            light *= passing
            if keep:
                number[kept] = i
                samples[kept, 0], samples[kept, 1], samples[kept, 2], samples[kept, 3], samples[kept, 4] = (
                    sigma,
                    r,
                    g,
                    b,
                    weight,
                )
                kept += 1
        i += 1
    pixels[n, 0], pixels[n, 1], pixels[n, 2], pixels[n, 3], pixels[n, 4] = (
        red,
        green,
        blue,
        ONE - light,
        depth * ray[COSINE],
    )
    return kept


@kernel
def march_backward(grad_pixels, grad_weights, size, rays, first, number, samples, grad_density, grad_colour):
    """Add the gradient of the grids. With g_i the derivative by w_i: d/d(s_i d_i) = T_{i+1} g_i - sum_{j>i}
    w_j g_j.
    """
    for n in range(len(first) - 1):
        ray = _ray(rays, n)
        light, behind = ONE, ZERO  # T_i, and the sum of w_j g_j from here on
        for m in range(first[n], first[n + 1]):
            behind += samples[m, 4] * _weight_gradient(grad_pixels, grad_weights, samples, ray, number, n, m)
        for m in range(first[n], first[n + 1]):
            gradient = _weight_gradient(grad_pixels, grad_weights, samples, ray, number, n, m)
            weight = samples[m, 4]
            light -= weight
            behind -= weight * gradient
            slope = ONE - np.float32(math.exp(-samples[m, 0]))  # of softplus
            by_density = (light * gradient - behind) * ray[DELTA] * slope
            by_red = weight * grad_pixels[n, 0] * samples[m, 1] * (ONE - samples[m, 1])
            by_green = weight * grad_pixels[n, 1] * samples[m, 2] * (ONE - samples[m, 2])
            by_blue = weight * grad_pixels[n, 2] * samples[m, 3] * (ONE - samples[m, 3])
            if by_density == ZERO and by_red == ZERO and by_green == ZERO and by_blue == ZERO:
                continue
            _, x, y, z = _point(ray, number[m])
            node, fx, fy, fz = _voxel(x, y, z, size)
            for corner in range(8):
                share = (
                    (fx if corner & 4 else ONE - fx)
                    * (fy if corner & 2 else ONE - fy)
                    * (fz if corner & 1 else ONE - fz)
                )
                at = node + (corner >> 2) * size * size + ((corner >> 1) & 1) * size + (corner & 1)
                grad_density[at] += share * by_density
                grad_colour[3 * at] += share * by_red
                grad_colour[3 * at + 1] += share * by_green
                grad_colour[3 * at + 2] += share * by_blue


@kernel
def _weight_gradient(grad_pixels, grad_weights, samples, ray, number, n, m):
    """Derivative of the loss by the weight of sample ``m`` on ray ``n``."""
    z = _point(ray, number[m])[0] * ray[COSINE]
    by_colour = (
        grad_pixels[n, 0] * samples[m, 1]
        + grad_pixels[n, 1] * samples[m, 2]
        + grad_pixels[n, 2] * samples[m, 3]
    )
    return by_colour + grad_pixels[n, 3] + grad_pixels[n, 4] * z + grad_weights[m]


@kernel
def _ray(rays, n):
    """Ray ``n`` as numbers that stay in registers."""
    return (
        rays[n, 0],
        rays[n, 1],
        rays[n, 2],
        rays[n, 3],
        rays[n, 4],
        rays[n, 5],
        rays[n, COSINE],
        rays[n, NEAR],
        rays[n, DELTA],
        rays[n, OFFSET],
    )


@kernel
def _point(ray, i):
    """Distance along a ray of its sample ``i``, and where that is."""
    t = ray[NEAR] + (np.float32(i) + ray[OFFSET]) * ray[DELTA]
    return t, ray[0] + t * ray[3], ray[1] + t * ray[4], ray[2] + t * ray[5]


@kernel
def _cell(x, cells):
    """Index on one axis of the occupancy cell that holds coordinate ``x``."""
    return min(max(int((x + ONE) * HALF * np.float32(cells)), 0), cells - 1)


@kernel
def _voxel(x, y, z, size):
    """Flat index of the lowest corner of the voxel that holds a point, and the point's place in it."""
    i, fx = _place(x, size)
    j, fy = _place(y, size)
    k, fz = _place(z, size)
    return (i * size + j) * size + k, fx, fy, fz


@kernel
def _place(x, size):
    """On one axis: the node before coordinate ``x``, and the way to the next one in 0..1."""
    u = (x + ONE) * HALF * np.float32(size - 1)
    i = min(max(int(u), 0), size - 2)
    return i, min(max(u - np.float32(i), ZERO), ONE)


@kernel
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


@kernel
def _softplus(x):
    # log1p is several times slower, and no better here
    return max(x, ZERO) + np.float32(math.log(ONE + math.exp(-abs(x))))


@kernel
def _sigmoid(x):
    return ONE / (ONE + np.float32(math.exp(-x)))
