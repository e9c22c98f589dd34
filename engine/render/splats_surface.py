"""Where rays meet the surface of splats: the depth at which half of the light is gone, along each splat, not
at its centre.

A splat's density along a ray x = t d (camera space, d_z = 1) is a Gaussian in t: with P the inverse of its
covariance and m its mean, A = d.Pd, its peak lies at t* = d.Pm / A and has the opacity a = o exp(-(m.Pm - A
t*^2) / 2). Up to depth t it lets

    T(t) = prod_k (1 - a_k exp(-A_k max(t*_k - t, 0)^2 / 2))

of the light through (an opacity field, after arXiv 2404.10772, section 3.2). Expected and median depths of
splat centres lie behind the surface, because centres lie inside.
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
OPAQUE = 0.99
"""Alpha behind which splats are left out."""

HALVINGS = 9
FOOT, FARTHEST_FALL = 3.0, 8.0
"""Standard deviations before its peak at which a splat begins to count, and the exponent beyond which its
density is nothing.
"""

OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz"}}


def surface_depths(scene: Splats, cameras: Cameras, half: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Depth along the camera's axis at which T falls to ``half``, 0 where it never does, and alpha: (V,H,W)
    float32 each.
    """
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
    order = np.argsort(centre[:, 2])
    own, precision, centre, opacities = own[order], precision[order], centre[order], opacities[order]
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
    """First and last column and row of the pixels that splat n may cover; an empty range behind the
    camera.
    """
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
    """For each pixel t*, a and A of the splats that its ray meets; ``ends`` moves on behind the last of each.

    Splats come from near to far; behind `OPAQUE` nothing is seen any more. Along a row A is a quadratic and
    d.Pm a linear function of the ray's slope p.
    """
    box, light = np.empty(4, np.int64), np.ones(width * height)
    for n in range(len(centre)):
        _box(centre, reach, K, width, height, n, box)
        P, m = precision[n], centre[n]
        Pm0 = P[0, 0] * m[0] + P[0, 1] * m[1] + P[0, 2] * m[2]
        Pm1 = P[1, 0] * m[0] + P[1, 1] * m[1] + P[1, 2] * m[2]
        Pm2 = P[2, 0] * m[0] + P[2, 1] * m[1] + P[2, 2] * m[2]
        mPm = m[0] * Pm0 + m[1] * Pm1 + m[2] * Pm2
        faintest = 2 * math.log(max(opacities[n] / FAINTEST, 1e-9))
        for y in range(box[2], box[3] + 1):
            q = (y + 0.5 - K[1, 2]) / K[1, 1]
            constant, linear = P[1, 1] * q * q + 2 * P[1, 2] * q + P[2, 2], 2 * (P[0, 1] * q + P[0, 2])
            rest = Pm1 * q + Pm2
            for x in range(box[0], box[1] + 1):
                if light[y * width + x] < 1 - OPAQUE:
                    continue
                p = (x + 0.5 - K[0, 2]) / K[0, 0]
                A = constant + p * (linear + p * P[0, 0])
                peak = (Pm0 * p + rest) / A
                distance2 = mPm - A * peak * peak
                if distance2 < faintest:
                    at = ends[y * width + x]
                    a = min(opacities[n] * math.exp(-0.5 * max(distance2, 0.0)), 0.999)
                    light[y * width + x] *= 1 - a
                    hits[at, 0], hits[at, 1], hits[at, 2] = peak, a, A
                    ends[y * width + x] = at + 1


@numba.njit(**OPTIONS)
def _solve(starts, ends, hits, half, depth, alpha):
    """T never rises, so halving an interval finds where it is ``half``. Reorders ``hits`` within each
    pixel.
    """
    height, width = depth.shape
    for y in range(height):
        for x in range(width):
            pixel = y * width + x
            light, low, high = 1.0, 1e9, 0.0
            for k in range(starts[pixel], ends[pixel]):
                light *= 1 - hits[k, 1]
                low = min(low, hits[k, 0] - FOOT / math.sqrt(hits[k, 2]))
                high = max(high, hits[k, 0])
            alpha[y, x] = 1 - light
            if light <= half:
                depth[y, x] = _crossing(hits, starts[pixel], ends[pixel], half, low, high)


@numba.njit(inline="always")
def _crossing(hits, start, end, half, low, high):
    """Where T falls to ``half`` between ``low`` and ``high``.

    What lies wholly before the interval dims it once and for all, and what begins behind it is left out: few
    splats remain.
    """
    passed = 1.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        light = passed
        for k in range(start, end):
            before = hits[k, 0] - middle
            fall = 0.5 * hits[k, 2] * before * before
            if before <= 0:
                light *= 1 - hits[k, 1]
            elif fall < FARTHEST_FALL:
                light *= 1 - hits[k, 1] * math.exp(-fall)
        if light > half:
            low = middle
            k = start
            while k < end:
                if hits[k, 0] <= low:
                    passed *= 1 - hits[k, 1]
                    end -= 1
                    hits[k, 0], hits[k, 1], hits[k, 2] = hits[end, 0], hits[end, 1], hits[end, 2]
                else:
                    k += 1
        else:
            high = middle
            k = start
            while k < end:
                before = hits[k, 0] - high
                if before > 0 and 0.5 * hits[k, 2] * before * before >= FARTHEST_FALL:
                    end -= 1
                    hits[k, 0], hits[k, 1], hits[k, 2] = hits[end, 0], hits[end, 1], hits[end, 2]
                else:
                    k += 1
    return 0.5 * (low + high)
