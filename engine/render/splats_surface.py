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
OPAQUE = 0.97
"""Alpha behind which splats are left out."""

FOOT = 4.0
"""Standard deviations before its peak beyond which a splat's density is nothing."""

CLOSE, MOST_STEPS = 0.004, 12
"""How near to ``half`` the light must come, and in how many steps at most."""

OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz"}}
"""Of kernels: sums may be reordered and multiply-adds fused; NaN and infinity keep their meaning."""


def surface_depths(scene: Splats, cameras: Cameras, half: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Depth along the camera's axis at which T falls to ``half``, 0 where it never does, and alpha: (V,H,W)
    float32 each.
    """
    with torch.no_grad():
        sigma = covariances(scene).detach().cpu().double().numpy()
        means, opacities = (part.detach().cpu().double().numpy() for part in (scene.means, scene.opacities))
    precision = np.linalg.inv(sigma + 1e-10 * np.eye(3))
    size = (len(cameras), cameras.height, cameras.width)
    depth, alpha = np.zeros(size, np.float32), np.zeros(size, np.float32)
    c2w, K = cameras.c2w.cpu().double().numpy(), cameras.K.cpu().double().numpy()

    def look(view: int) -> None:
        w2c = np.linalg.inv(c2w[view])
        centre = means @ w2c[:3, :3].T + w2c[:3, 3]
        order = np.argsort(centre[:, 2])
        _surface(
            centre[order],
            sigma[order],
            precision[order],
            opacities[order],
            w2c,
            K[view],
            half,
            depth[view],
            alpha[view],
        )

    with ThreadPoolExecutor(min(len(cameras), os.cpu_count() or 1)) as pool:  # the kernels release the lock
        list(pool.map(look, range(len(cameras))))
    return depth, alpha


@numba.njit(**OPTIONS)
def _surface(centre, sigma, precision, opacities, w2c, K, half, depth, alpha):
    """One camera's ``depth`` and ``alpha`` (H,W), filled in place, of splats from near to far.

    ``centre`` (N,3) is in the camera's axes, ``sigma`` and ``precision`` (N,3,3) in those of the world.
    """
    height, width = depth.shape
    boxes, own = np.empty((len(centre), 4), np.int32), np.empty((len(centre), 3, 3))
    starts = np.zeros(height * width + 1, np.int32)
    turn = np.ascontiguousarray(w2c[:3, :3])
    for n in range(len(centre)):
        _box(centre[n], _reach(sigma[n], turn), K, width, height, boxes[n])
        _turn(precision[n], turn, own[n])
        for y in range(boxes[n, 2], boxes[n, 3] + 1):
            for x in range(boxes[n, 0], boxes[n, 1] + 1):
                starts[y * width + x + 1] += 1
    for pixel in range(height * width):
        starts[pixel + 1] += starts[pixel]
    hits, ends = np.empty((starts[-1], 3), np.float32), starts[:-1].copy()
    _list(centre, own, opacities, boxes, K, width, height, ends, hits)
    _solve(starts, ends, hits, half, depth, alpha)


@numba.njit(**OPTIONS)
def _turn(P, R, out):
    """R P R^T of a symmetric P (3,3)."""
    for i in range(3):
        a = R[i, 0] * P[0, 0] + R[i, 1] * P[0, 1] + R[i, 2] * P[0, 2]
        b = R[i, 0] * P[0, 1] + R[i, 1] * P[1, 1] + R[i, 2] * P[1, 2]
        c = R[i, 0] * P[0, 2] + R[i, 1] * P[1, 2] + R[i, 2] * P[2, 2]
        for j in range(3):
            out[i, j] = a * R[j, 0] + b * R[j, 1] + c * R[j, 2]


@numba.njit(**OPTIONS)
def _reach(S, R):
    """How far a splat of covariance S (3,3) reaches along each of the camera's axes R (3,3)."""
    return _reach_along(S, R[0]), _reach_along(S, R[1]), _reach_along(S, R[2])


@numba.njit(**OPTIONS)
def _reach_along(S, axis):
    a = axis[0] * S[0, 0] + axis[1] * S[0, 1] + axis[2] * S[0, 2]
    b = axis[0] * S[0, 1] + axis[1] * S[1, 1] + axis[2] * S[1, 2]
    c = axis[0] * S[0, 2] + axis[1] * S[1, 2] + axis[2] * S[2, 2]
    return REACH * math.sqrt(max(a * axis[0] + b * axis[1] + c * axis[2], 0.0))


@numba.njit(**OPTIONS)
def _box(centre, reach, K, width, height, box):
    """First and last column and row of the pixels that a splat may cover; an empty range behind the
    camera.
    """
    z = centre[2] - reach[2]
    if z < NEAR:
        box[0], box[1], box[2], box[3] = 0, -1, 0, -1
        return
    far = centre[2] + reach[2]
    for axis in range(2):
        focal, middle, size = K[axis, axis], K[axis, 2], width if axis == 0 else height
        low, high = centre[axis] - reach[axis], centre[axis] + reach[axis]
        first = focal * low / (z if low < 0 else far) + middle
        last = focal * high / (z if high > 0 else far) + middle
        box[2 * axis] = max(0, math.ceil(first - 0.5))
        box[2 * axis + 1] = min(size - 1, math.floor(last - 0.5))


@numba.njit(**OPTIONS)
def _list(centre, precision, opacities, boxes, K, width, height, ends, hits):
    """For each pixel t*, a and A of the splats that its ray meets; ``ends`` moves on behind the last of each.

    Splats come from near to far; behind `OPAQUE` nothing is seen any more. With p the ray's slope along a
    row, A = P00 p^2 + L p + C and d.Pm = Pm0 p + R, and a splat counts between the roots in p of
    m.Pm - (d.Pm)^2 / A = 2 log(o / FAINTEST).
    """
    light = np.ones(width * height, np.float32)
    for n in range(len(centre)):
        P, m, box = precision[n], centre[n], boxes[n]
        faintest = 2 * math.log(max(opacities[n] / FAINTEST, 1e-9))
        if box[1] < box[0] or box[3] < box[2] or faintest <= 0:
            continue
        Pm0 = P[0, 0] * m[0] + P[0, 1] * m[1] + P[0, 2] * m[2]
        Pm1 = P[1, 0] * m[0] + P[1, 1] * m[1] + P[1, 2] * m[2]
        Pm2 = P[2, 0] * m[0] + P[2, 1] * m[1] + P[2, 2] * m[2]
        mPm = m[0] * Pm0 + m[1] * Pm1 + m[2] * Pm2
        within = mPm - faintest
        square = within * P[0, 0] - Pm0 * Pm0
        for y in range(box[2], box[3] + 1):
            q = (y + 0.5 - K[1, 2]) / K[1, 1]
            C, L = P[1, 1] * q * q + 2 * P[1, 2] * q + P[2, 2], 2 * (P[0, 1] * q + P[0, 2])
            R = Pm1 * q + Pm2
            first, last = box[0], box[1]
            if square > 0:
                middle = -(0.5 * within * L - Pm0 * R) / square
                spread = middle * middle - (within * C - R * R) / square
                if spread <= 0:
                    continue
                spread = math.sqrt(spread)
                first = max(first, math.ceil((middle - spread) * K[0, 0] + K[0, 2] - 0.5))
                last = min(last, math.floor((middle + spread) * K[0, 0] + K[0, 2] - 0.5))
            for x in range(first, last + 1):
                pixel = y * width + x
                if light[pixel] < 1 - OPAQUE:
                    continue
                p = (x + 0.5 - K[0, 2]) / K[0, 0]
                A = C + p * (L + p * P[0, 0])
                peak = (Pm0 * p + R) / A
                distance2 = max(mPm - A * peak * peak, 0.0)
                if distance2 < faintest:
                    at = ends[pixel]
                    a = min(opacities[n] * math.exp(-0.5 * distance2), 0.999)
                    light[pixel] *= 1 - a
                    hits[at, 0], hits[at, 1], hits[at, 2] = peak, a, A
                    ends[pixel] = at + 1


@numba.njit(**OPTIONS)
def _solve(starts, ends, hits, half, depth, alpha):
    """Alpha, and the depth where T is ``half``: from where the first splat begins to where the peaks that lie
    before have taken as much light away.

    Reorders ``hits`` within each pixel.
    """
    height, width = depth.shape
    for y in range(height):
        for x in range(width):
            pixel = y * width + x
            light, low, high = 1.0, 1e9, 0.0
            for k in range(starts[pixel], ends[pixel]):
                if light > half:
                    low = min(low, hits[k, 0] - FOOT / math.sqrt(hits[k, 2]))
                    high = max(high, hits[k, 0])
                light *= 1 - hits[k, 1]
            alpha[y, x] = 1 - light
            if light <= half:
                depth[y, x] = _crossing(hits, starts[pixel], ends[pixel], half, low, high)


@numba.njit(**OPTIONS)
def _crossing(hits, start, end, half, low, high):
    """Where T, which never rises, falls to ``half`` between ``low`` and ``high``: by the Illinois rule."""
    k = start
    while k < end:  # what begins behind is left out: few splats remain
        before = hits[k, 0] - high
        if before > 0 and hits[k, 2] * before * before > FOOT * FOOT:
            end -= 1
            hits[k, 0], hits[k, 1], hits[k, 2] = hits[end, 0], hits[end, 1], hits[end, 2]
        else:
            k += 1
    above, below = 1 - half, _light(hits, start, end, high) - half
    if below >= 0:
        return high
    middle, side = high, 0
    for _ in range(MOST_STEPS):
        middle = (low * below - high * above) / (below - above)
        rest = _light(hits, start, end, middle) - half
        if abs(rest) < CLOSE:
            break
        if rest > 0:
            low, above = middle, rest
            if side > 0:
                below *= 0.5
            side = 1
        else:
            high, below = middle, rest
            if side < 0:
                above *= 0.5
            side = -1
    return middle


@numba.njit(**OPTIONS)
def _light(hits, start, end, t):
    """T(t). The exponential is (e^(-x/16))^16, its root to the fourth order, right to 1e-4."""
    light = np.float32(1.0)
    for k in range(start, end):
        before = max(hits[k, 0] - np.float32(t), np.float32(0.0))
        x = min(np.float32(0.5 / 16) * hits[k, 2] * before * before, np.float32(0.5 * FOOT * FOOT / 16))
        root = 1 - x * (1 - x * (np.float32(1 / 2) - x * (np.float32(1 / 6) - x * np.float32(1 / 24))))
        root *= root
        root *= root
        root *= root
        light *= 1 - hits[k, 1] * root * root
    return light
