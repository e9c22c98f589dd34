"""Numba kernels that compose projected splats, and the gradient of that. Importing this file compiles them.

One camera a call, float32 throughout; ``v_x`` is the gradient of the loss to ``x``; splats fall off as
``engine.render.splats_projection`` says. Pixels are kept in blocks of ``COLUMNS`` x ``ROWS``, so that the
inner loops run over ``LANES`` neighbours and become vector code; the blocks of a vertical strip of the image
lie one after the other. Splats are walked once from near to far, each over the blocks that its ellipse
touches, and every pixel carries its own running state. The backward pass walks the same list from far to near
and needs no scatter: all the gradients of a splat are summed where it is visited.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from engine.render.splats_torch import MAX_ALPHA, MIN_ALPHA, MIN_TRANSMITTANCE

COLUMNS, ROWS = 8, 2  # pixels of a block; small splats waste fewer of them than in a row of 16
LANES = COLUMNS * ROWS  # what one or two vector operations cover
WIDE = 3  # strips, up to which it costs more to find the empty corners of a splat's box than to visit them
F = np.float32  # numba computes in float64 wherever a constant is not marked as float32
ZERO, HALF, ONE, EIGHT = F(0), F(0.5), F(1), F(8)
CEILING, FLOOR = F(MAX_ALPHA), F(MIN_TRANSMITTANCE)
EIGHTH_ROOT = F(math.sqrt(1 / 8))

# Planes of the state of LANES pixels. T is negated once a pixel has ended.
T, RED, GREEN, BLUE, DEPTH = (i * LANES for i in range(5))
FORWARD = 5 * LANES
# the backward pass keeps there what the splats behind contribute, and the gradients of the outputs after it
BEHIND = RED
V_RED, V_GREEN, V_BLUE, V_DEPTH = (i * LANES for i in range(2, 6))
BACKWARD = 6 * LANES

# exp(-4 x) on the range where alpha can exceed MIN_ALPHA, as the fourth power of a polynomial: vector code,
# unlike math.exp.
EXP = [
    F(c)
    for c in np.polynomial.Chebyshev.interpolate(lambda x: np.exp(-x), 7, [0, -0.25 * math.log(MIN_ALPHA)])
    .convert(kind=np.polynomial.Polynomial)
    .coef
]
E0, E1, E2, E3, E4, E5, E6, E7 = EXP

# Sums may be reordered and multiply-adds fused; NaN and infinity keep their meaning.
OPTIONS = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "nsz", "arcp"},
}


@numba.njit(inline="always")
def _exp_minus_4(x):
    root = ((((((E7 * x + E6) * x + E5) * x + E4) * x + E3) * x + E2) * x + E1) * x + E0
    square = root * root
    return square * square


@numba.njit(**OPTIONS)
def _rows_touched(a, b, c, limit, mean_y, dx, top, bottom):
    """The part of block rows ``top`` to ``bottom`` that an ellipse touches in the strip that begins ``dx``
    right of its mean.

    A tenth of a pixel is added for rounding; pixels outside the ellipse are sorted out one by one later.
    """
    steep, peak = b * b + c * c, -b * math.sqrt(limit) / (a * c)
    upper, lower = min(max(peak, dx), dx + F(COLUMNS - 1)), min(max(-peak, dx), dx + F(COLUMNS - 1))
    high = (math.sqrt(max(steep * limit - (a * c * upper) ** 2, ZERO)) - a * b * upper) / steep
    low = -(math.sqrt(max(steep * limit - (a * c * lower) ** 2, ZERO)) + a * b * lower) / steep
    first, end = (
        math.floor((mean_y + low - F(0.6)) / F(ROWS)),
        math.floor((mean_y + high - F(0.4)) / F(ROWS)) + 1,
    )
    return max(top, first), min(bottom, end)


@numba.njit(inline="always")
def _distance(a, b, c, u0, v0, k):
    """u^2 + v^2 at pixel k of a block whose first pixel has u0, v0."""
    u, v = u0 + (a * F(k % COLUMNS) + b * F(k // COLUMNS)), v0 + c * F(k // COLUMNS)
    return u * u + v * v


# The two walks are one function each: where array slices pass through a call, numba counts references in the
# innermost loops.


@numba.njit("void(f4[:,::1],i4[:,::1],i8,f4[::1],i4[::1])", **OPTIONS)
def compose(packed, boxes, rows, state, last):
    """Compose splats, sorted by depth, into ``state`` (blocks x FORWARD); ``last`` gets each pixel's last
    splat, or -1.

    ``rows`` is the number of blocks in a strip.
    """
    state[:] = ZERO
    last[:] = -1
    for block in range(len(last) // LANES):
        state[block * FORWARD : block * FORWARD + LANES] = ONE
    for n in range(len(packed)):
        mean_x, mean_y, a, b, c = packed[n, 0], packed[n, 1], packed[n, 2], packed[n, 3], packed[n, 4]
        limit, opacity, depth = packed[n, 5], packed[n, 6], packed[n, 10]
        red, green, blue = packed[n, 7], packed[n, 8], packed[n, 9]
        for strip in range(boxes[n, 0], boxes[n, 1]):
            dx, top, bottom = F(strip * COLUMNS) + HALF - mean_x, boxes[n, 2], boxes[n, 3]
            if boxes[n, 1] - boxes[n, 0] > WIDE:
                top, bottom = _rows_touched(a, b, c, limit, mean_y, dx, top, bottom)
            for row in range(top, bottom):
                block, dy = strip * rows + row, F(row * ROWS) + HALF - mean_y
                pixels, latest = (
                    state[block * FORWARD : (block + 1) * FORWARD],
                    last[block * LANES : (block + 1) * LANES],
                )
                live = False
                for k in range(LANES):
                    live |= pixels[k] > ZERO
                if not live:
                    continue
                u0, v0 = a * dx + b * dy, c * dy
                for k in range(LANES):
                    before = pixels[T + k]
                    distance = _distance(a, b, c, u0, v0, k)
                    alpha = opacity * _exp_minus_4(distance)
                    alpha = CEILING if alpha > CEILING else alpha
                    alpha = alpha if distance <= limit and before > ZERO else ZERO
                    after = before * (ONE - alpha)
                    ends = after <= FLOOR and before > ZERO
                    weight = ZERO if ends else alpha * before
                    pixels[T + k] = -before if ends else after
                    pixels[RED + k] += weight * red
                    pixels[GREEN + k] += weight * green
                    pixels[BLUE + k] += weight * blue
                    pixels[DEPTH + k] += weight * depth
                    latest[k] = np.int32(n) if weight > ZERO else latest[k]


@numba.njit(**OPTIONS)
def _place(x, y, height):
    """Block and lane of a pixel."""
    return (x // COLUMNS) * ((height + ROWS - 1) // ROWS) + y // ROWS, (y % ROWS) * COLUMNS + x % COLUMNS


@numba.njit("void(f4[::1],f4[:,:,::1],f4[:,:,::1],f4[:,:,::1])", **OPTIONS)
def unpack(state, rgb, depth, alpha):
    """Sort the blocks of ``compose`` into pictures (H,W,3), (H,W,1), (H,W,1)."""
    height, width, _ = rgb.shape
    for y in range(height):
        for x in range(width):
            block, lane = _place(x, y, height)
            at = block * FORWARD + lane
            rgb[y, x, 0], rgb[y, x, 1], rgb[y, x, 2] = state[at + RED], state[at + GREEN], state[at + BLUE]
            depth[y, x, 0] = state[at + DEPTH]
            alpha[y, x, 0] = ONE - abs(state[at + T])


@numba.njit("void(f4[::1],f4[:,:,::1],f4[:,:,::1],f4[:,:,::1],f4[::1])", **OPTIONS)
def pack_gradients(state, v_rgb, v_depth, v_alpha, out):
    """Start the backward pass's state (blocks x BACKWARD) from ``compose``'s and the gradients of its
    pictures.
    """
    height, width, _ = v_rgb.shape
    out[:] = ZERO
    for y in range(height):
        for x in range(width):
            block, lane = _place(x, y, height)
            at, left = block * BACKWARD + lane, abs(state[block * FORWARD + lane])
            out[at + T] = left
            out[at + BEHIND] = -left * v_alpha[y, x, 0]
            out[at + V_RED], out[at + V_GREEN], out[at + V_BLUE] = (
                v_rgb[y, x, 0],
                v_rgb[y, x, 1],
                v_rgb[y, x, 2],
            )
            out[at + V_DEPTH] = v_depth[y, x, 0]


@numba.njit(
    "void(f4[:,::1],i4[:,::1],i4[::1],i8,f4[::1],i4[::1],f4[:,::1],f4[:,::1],f4[::1],f4[::1],f4[:,::1])",
    **OPTIONS,
)
def compose_backward(
    packed, boxes, ids, rows, state, last, v_means2d, v_whitening, v_depths, v_opacities, v_colours
):
    """Fill the gradients of the packed splats, undoing their composition from far to near; ``state`` is
    ``pack_gradients``'s.

    In seven planes of ``sums``, a strip gathers weight times the gradients of red, green, blue and depth;
    then g, g v and g v^2, where g = alpha d(loss)/d(alpha). Mean and whitening follow from the moments of g:
    gxv is the sum of g dx v, and so on.
    """
    sums = np.empty(7 * LANES, np.float32)
    for n in range(len(packed) - 1, -1, -1):
        mean_x, mean_y, a, b, c = packed[n, 0], packed[n, 1], packed[n, 2], packed[n, 3], packed[n, 4]
        limit, opacity, depth = packed[n, 5], packed[n, 6], packed[n, 10]
        red, green, blue = packed[n, 7], packed[n, 8], packed[n, 9]
        v_red, v_green, v_blue, v_depth = ZERO, ZERO, ZERO, ZERO
        g, gx, gxx, gv, gxv, gvv = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
        for strip in range(boxes[n, 0], boxes[n, 1]):
            dx, top, bottom = F(strip * COLUMNS) + HALF - mean_x, boxes[n, 2], boxes[n, 3]
            if boxes[n, 1] - boxes[n, 0] > WIDE:
                top, bottom = _rows_touched(a, b, c, limit, mean_y, dx, top, bottom)
            for k in range(7 * LANES):
                sums[k] = ZERO
            for row in range(top, bottom):
                block, dy = strip * rows + row, F(row * ROWS) + HALF - mean_y
                pixels, latest = (
                    state[block * BACKWARD : (block + 1) * BACKWARD],
                    last[block * LANES : (block + 1) * LANES],
                )
                live = False
                for k in range(LANES):
                    live |= latest[k] >= n
                if not live:
                    continue
                u0, v0 = a * dx + b * dy, c * dy
                for k in range(LANES):
                    distance = _distance(a, b, c, u0, v0, k)
                    raw = opacity * _exp_minus_4(distance)
                    alpha = CEILING if raw > CEILING else raw
                    alpha = alpha if distance <= limit and latest[k] >= np.int32(n) else ZERO
                    through = ONE / (ONE - alpha)
                    before = pixels[T + k] * through
                    pixels[T + k] = before
                    weight = before * alpha
                    value = pixels[V_RED + k] * red + pixels[V_GREEN + k] * green + pixels[V_BLUE + k] * blue
                    value += pixels[V_DEPTH + k] * depth
                    v_alpha = before * value - pixels[BEHIND + k] * through
                    pixels[BEHIND + k] += weight * value
                    sums[k] += weight * pixels[V_RED + k]
                    sums[LANES + k] += weight * pixels[V_GREEN + k]
                    sums[2 * LANES + k] += weight * pixels[V_BLUE + k]
                    sums[3 * LANES + k] += weight * pixels[V_DEPTH + k]
                    free, v = ZERO if raw > CEILING else v_alpha * alpha, v0 + c * F(k // COLUMNS)
                    sums[4 * LANES + k] += free
                    sums[5 * LANES + k] += free * v
                    sums[6 * LANES + k] += free * v * v
            for k in range(LANES):
                x = dx + F(k % COLUMNS)
                v_red += sums[k]
                v_green += sums[LANES + k]
                v_blue += sums[2 * LANES + k]
                v_depth += sums[3 * LANES + k]
                g += sums[4 * LANES + k]
                gx += sums[4 * LANES + k] * x
                gxx += sums[4 * LANES + k] * x * x
                gv += sums[5 * LANES + k]
                gxv += sums[5 * LANES + k] * x
                gvv += sums[6 * LANES + k]
        i = ids[n]
        v_colours[i, 0], v_colours[i, 1], v_colours[i, 2] = v_red, v_green, v_blue
        v_depths[i], v_opacities[i] = v_depth, g / opacity
        # The exponent is -4 (u^2 + v^2), with u = a dx + b dy and dy = v / c.
        gu, guv, gux = a * gx + b / c * gv, a * gxv + b / c * gvv, a * gxx + b / c * gxv
        v_means2d[i, 0], v_means2d[i, 1] = EIGHT * a * gu, EIGHT * (b * gu + c * gv)
        v_whitening[i, 0] = -EIGHT * EIGHTH_ROOT * gux
        v_whitening[i, 1], v_whitening[i, 2] = -EIGHT * EIGHTH_ROOT * guv / c, -EIGHT * EIGHTH_ROOT * gvv / c
