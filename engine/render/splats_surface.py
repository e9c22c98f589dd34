"""Where rays meet the surface of splats: the depth at which half of the light is gone, along each splat, not at its centre.

A splat's density along a ray x = t d (camera space, d_z = 1) is a Gaussian in t: with P the inverse of its covariance and m its
mean, A = d.Pd, its peak lies at t* = d.Pm / A and has the opacity a = o exp(-(m.Pm - A t*^2) / 2). Up to depth t it lets

    T(t) = prod_k (1 - a_k exp(-A_k max(t*_k - t, 0)^2 / 2))

of the light through (an opacity field, after arXiv 2404.10772, section 3.2). Expected and median depths of splat centres lie
behind the surface, because centres lie inside.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import torch

from engine.core.cameras import Cameras
from engine.scene.splats import Splats, covariances

REACH = 3.0  # standard deviations beyond which a splat is nothing
NEAR = 0.05
FAINTEST = 1.0 / 255
HALVINGS = 9
OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz"}}


def surface_depths(scene: Splats, cameras: Cameras, half: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Depth along the camera's axis at which T falls to ``half``, 0 where it never does, and alpha: (V,H,W) float32 each."""
    with torch.no_grad():
        sigma = covariances(scene).detach().cpu().double().numpy()
        means, opacities = (part.detach().cpu().double().numpy() for part in (scene.means, scene.opacities))
    size = (len(cameras), cameras.height, cameras.width)
    depth, alpha = np.zeros(size, np.float32), np.zeros(size, np.float32)
    c2w, K = cameras.c2w.cpu().double().numpy(), cameras.K.cpu().double().numpy()

    def look(view: int) -> None:
        _surface(means, sigma, opacities, np.linalg.inv(c2w[view]), K[view], half, depth[view], alpha[view])

    with ThreadPoolExecutor(min(len(cameras), os.cpu_count() or 1)) as pool:  # the kernels release the lock
        list(pool.map(look, range(len(cameras))))
    return depth, alpha


def _surface(
    means: np.ndarray,
    sigma: np.ndarray,
    opacities: np.ndarray,
    w2c: np.ndarray,
    K: np.ndarray,
    half: float,
    depth: np.ndarray,
    alpha: np.ndarray,
) -> None:
    """One camera's ``depth`` and ``alpha`` (H,W), filled in place."""
    height, width = depth.shape
    own = w2c[:3, :3] @ sigma @ w2c[:3, :3].T
    precision = np.linalg.inv(own + 1e-10 * np.eye(3))
    centre = means @ w2c[:3, :3].T + w2c[:3, 3]
    reach = REACH * np.sqrt(np.diagonal(own, axis1=1, axis2=2))
    starts = np.zeros(height * width + 1, np.int64)
    _count(centre, reach, K, width, height, starts)
    np.cumsum(starts, out=starts)
    hits = np.empty((starts[-1], 3), np.float32)
    ends = starts[:-1].copy()
    _list(centre, precision, reach, opacities, K, width, height, ends, hits)
    _solve(starts, ends, hits, half, depth, alpha)


@numba.njit(inline="always")
def _box(centre, reach, K, width, height, n, box):
    """First and last column and row of the pixels that splat n may cover; an empty range behind the camera."""
    z = centre[n, 2] - reach[n, 2]
    if z < NEAR:
        box[0], box[1], box[2], box[3] = 0, -1, 0, -1
        return
    for axis in range(2):
        focal, middle, size = K[axis, axis], K[axis, 2], width if axis == 0 else height
        low, high = centre[n, axis] - reach[n, axis], centre[n, axis] + reach[n, axis]
        far = centre[n, 2] + reach[n, 2]
        first = focal * low / (z if low < 0 else far) + middle
        last = focal * high / (z if high > 0 else far) + middle
        box[2 * axis] = max(0, math.ceil(first - 0.5))
        box[2 * axis + 1] = min(size - 1, math.floor(last - 0.5))


@numba.njit(**OPTIONS)
def _count(centre, reach, K, width, height, starts):
    """How many splats may cover each pixel, one place further on, for a running sum."""
    box = np.empty(4, np.int64)
    for n in range(len(centre)):
        _box(centre, reach, K, width, height, n, box)
        for y in range(box[2], box[3] + 1):
            for x in range(box[0], box[1] + 1):
                starts[y * width + x + 1] += 1


@numba.njit(**OPTIONS)
def _list(centre, precision, reach, opacities, K, width, height, ends, hits):
    """For each pixel t*, a and A of the splats that its ray meets; ``ends`` moves on behind the last of each."""
    box = np.empty(4, np.int64)
    for n in range(len(centre)):
        _box(centre, reach, K, width, height, n, box)
        P, m = precision[n], centre[n]
        mPm = 0.0
        for i in range(3):
            for j in range(3):
                mPm += m[i] * P[i, j] * m[j]
        for y in range(box[2], box[3] + 1):
            q = (y + 0.5 - K[1, 2]) / K[1, 1]
            for x in range(box[0], box[1] + 1):
                p = (x + 0.5 - K[0, 2]) / K[0, 0]
                u = P[0, 0] * p + P[0, 1] * q + P[0, 2]
                v = P[1, 0] * p + P[1, 1] * q + P[1, 2]
                w = P[2, 0] * p + P[2, 1] * q + P[2, 2]
                A = u * p + v * q + w
                peak = (u * m[0] + v * m[1] + w * m[2]) / A
                a = opacities[n] * math.exp(-0.5 * max(mPm - A * peak * peak, 0.0))
                if a > FAINTEST:
                    at = ends[y * width + x]
                    hits[at, 0], hits[at, 1], hits[at, 2] = peak, min(a, 0.999), A
                    ends[y * width + x] = at + 1


@numba.njit(inline="always")
def _light(hits, start, end, t):
    """T(t)."""
    light = 1.0
    for k in range(start, end):
        before = hits[k, 0] - t
        if before <= 0:
            light *= 1 - hits[k, 1]
        else:
            fall = 0.5 * hits[k, 2] * before * before
            if fall < 8:
                light *= 1 - hits[k, 1] * math.exp(-fall)
    return light


@numba.njit(**OPTIONS)
def _solve(starts, ends, hits, half, depth, alpha):
    """T never rises, so halving an interval finds where it is ``half``."""
    height, width = depth.shape
    for y in range(height):
        for x in range(width):
            pixel = y * width + x
            start, end = starts[pixel], ends[pixel]
            light, low, high = 1.0, 1e9, 0.0
            for k in range(start, end):
                light *= 1 - hits[k, 1]
                low = min(low, hits[k, 0] - 3 / math.sqrt(hits[k, 2]))
                high = max(high, hits[k, 0])
            alpha[y, x] = 1 - light
            if light > half:
                continue
            for _ in range(HALVINGS):
                middle = 0.5 * (low + high)
                if _light(hits, start, end, middle) > half:
                    low = middle
                else:
                    high = middle
            depth[y, x] = 0.5 * (low + high)
