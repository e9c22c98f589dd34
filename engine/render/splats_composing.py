"""Numba kernels that cull, sort and compose projected splats, and the gradient of that. Importing this file compiles them.

Pixels are kept in strips of ``LANES`` columns, and a strip's rows lie one after the other, so that the inner loops run over
``LANES`` neighbouring pixels and become vector code. Splats are walked once from near to far, each over the rows that its
ellipse touches; every pixel carries its own running state. The backward pass walks the same list from far to near and needs
no scatter: all the gradients of a splat are summed where it is visited.

Falloff is ``engine.render.splats_projection``'s; one camera a call; float32 throughout.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from engine.render.splats_torch import MAX_ALPHA, MIN_ALPHA, MIN_TRANSMITTANCE, NEAR

LANES = 16  # pixels that one vector operation covers
F = np.float32  # numba computes in float64 wherever a constant is not marked as float32
ZERO, HALF, ONE, EIGHT = F(0), F(0.5), F(1), F(8)
CEILING, FLOOR = F(MAX_ALPHA), F(MIN_TRANSMITTANCE)
EIGHTH_ROOT = F(math.sqrt(1 / 8))

# Planes of the state of LANES pixels. T is negated once a pixel has ended.
T, RED, GREEN, BLUE, DEPTH = (i * LANES for i in range(5))
FORWARD = 5 * LANES
BEHIND = RED  # the backward pass keeps there what the splats behind contribute, and the gradients of the outputs after it
V_RED, V_GREEN, V_BLUE, V_DEPTH = (i * LANES for i in range(2, 6))
BACKWARD = 6 * LANES

# exp(-4 x) on the range where alpha can exceed MIN_ALPHA, as the fourth power of a polynomial: vector code, unlike math.exp.
EXP = [F(c) for c in np.polynomial.Chebyshev.interpolate(lambda x: np.exp(-x), 7, [0, -0.25 * math.log(MIN_ALPHA)])
       .convert(kind=np.polynomial.Polynomial).coef]
E0, E1, E2, E3, E4, E5, E6, E7 = EXP

# Sums may be reordered and multiply-adds fused; NaN and infinity keep their meaning.
OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz", "arcp"}}


@numba.njit(inline="always")
def _exp_minus_4(x):
    root = ((((((E7 * x + E6) * x + E5) * x + E4) * x + E3) * x + E2) * x + E1) * x + E0
    square = root * root
    return square * square


@numba.njit("i8(f4[:,::1],f4[:,::1],f4[::1],f4[::1],f4[:,::1],i8,i8,f4[:,::1],i4[:,::1],i4[::1])", **OPTIONS)
def cull(means2d, whitening, depths, opacities, colours, width, height, packed, boxes, ids):
    """Pack the splats that touch the image and return their number V: so many rows of ``packed``, ``boxes``, ``ids`` are filled.

    ``packed`` (N,11): mean x, y; a, b, c scaled so that alpha = o exp(-4 (u^2 + v^2)); the u^2 + v^2 where alpha falls below
    MIN_ALPHA; opacity; red, green, blue; depth. ``boxes`` (N,4): first and one-past-last strip, first and one-past-last row.
    """
    count = 0
    for n in range(len(depths)):
        if not (depths[n] > F(NEAR) and opacities[n] >= F(MIN_ALPHA)):
            continue
        a, b, c = EIGHTH_ROOT * whitening[n, 0], EIGHTH_ROOT * whitening[n, 1], EIGHTH_ROOT * whitening[n, 2]
        limit = F(0.25 * math.log(opacities[n] / MIN_ALPHA))
        reach_y = math.sqrt(limit) / c
        reach_x = math.sqrt(limit * (1 + (b / c) ** 2)) / a
        left, right = max(means2d[n, 0] - reach_x - 0.5, 0.0), min(means2d[n, 0] + reach_x - 0.5, width - 1.0)
        top, bottom = max(means2d[n, 1] - reach_y - 0.5, 0.0), min(means2d[n, 1] + reach_y - 0.5, height - 1.0)
        if not (left <= right and top <= bottom):
            continue
        row, box = packed[count], boxes[count]
        row[0], row[1], row[2], row[3], row[4], row[5] = means2d[n, 0], means2d[n, 1], a, b, c, limit
        row[6], row[7], row[8], row[9], row[10] = opacities[n], colours[n, 0], colours[n, 1], colours[n, 2], depths[n]
        box[0], box[1] = int(left) // LANES, int(right) // LANES + 1
        box[2], box[3] = math.ceil(top), int(bottom) + 1
        ids[count] = n
        count += 1
    return count


@numba.njit("i4[::1](f4[::1])", **OPTIONS)
def nearest_first(depths):
    """Stable order of positive depths: a radix sort on their bits, which sort like the numbers."""
    keys = depths.view(np.uint32)
    order = np.arange(len(depths)).astype(np.int32)
    scratch = np.empty_like(order)
    for shift in range(0, 32, 11):
        starts = np.zeros(2049, np.int64)
        for key in keys:
            starts[((key >> shift) & 2047) + 1] += 1
        starts = np.cumsum(starts)
        for index in order:
            digit = (keys[index] >> shift) & 2047
            scratch[starts[digit]] = index
            starts[digit] += 1
        order, scratch = scratch, order
    return order


@numba.njit(**OPTIONS)
def _compose_strip(splat, dx, dy, place, state, last):
    """One splat over consecutive rows of a strip; ``dx``, ``dy`` lead from its mean to the first pixel."""
    a, b, c, limit, opacity, red, green, blue, depth = splat[2:11]
    for row in range(len(last) // LANES):
        pixels, latest = state[row * FORWARD:(row + 1) * FORWARD], last[row * LANES:(row + 1) * LANES]
        live = False
        for k in range(LANES):
            live |= pixels[k] > ZERO
        if not live:
            continue
        y = dy + F(row)
        u0, v2 = a * dx + b * y, c * y * (c * y)
        for k in range(LANES):
            before = pixels[T + k]
            u = u0 + a * F(k)
            distance = u * u + v2
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
            latest[k] = place if weight > ZERO else latest[k]


@numba.njit("void(f4[:,::1],i4[:,::1],i4[::1],i8,f4[::1],i4[::1])", **OPTIONS)
def compose(packed, boxes, order, rows, state, last):
    """Compose splats into ``state`` (strips x rows x FORWARD); each pixel's last place in ``order`` goes to ``last``, or -1."""
    state[:] = ZERO
    last[:] = -1
    for block in range(len(last) // LANES):
        state[block * FORWARD:block * FORWARD + LANES] = ONE
    for place in range(len(order)):
        splat, box = packed[order[place]], boxes[order[place]]
        dy = F(box[2]) + HALF - splat[1]
        for strip in range(box[0], box[1]):
            dx = F(strip * LANES) + HALF - splat[0]
            first, end = strip * rows + box[2], strip * rows + box[3]
            _compose_strip(splat, dx, dy, np.int32(place), state[first * FORWARD:end * FORWARD], last[first * LANES:end * LANES])


@numba.njit("void(f4[::1],f4[:,:,::1],f4[:,:,::1],f4[:,:,::1])", **OPTIONS)
def unpack(state, rgb, depth, alpha):
    """Sort the strips of ``compose`` into pictures (H,W,3), (H,W,1), (H,W,1)."""
    rows, width, _ = rgb.shape
    for y in range(rows):
        for x in range(width):
            at = ((x // LANES) * rows + y) * FORWARD + x % LANES
            rgb[y, x, 0], rgb[y, x, 1], rgb[y, x, 2] = state[at + RED], state[at + GREEN], state[at + BLUE]
            depth[y, x, 0] = state[at + DEPTH]
            alpha[y, x, 0] = ONE - abs(state[at + T])


@numba.njit("void(f4[::1],f4[:,:,::1],f4[:,:,::1],f4[:,:,::1],f4[::1])", **OPTIONS)
def pack_gradients(state, v_rgb, v_depth, v_alpha, out):
    """Start the backward pass's state (strips x rows x BACKWARD) from ``compose``'s and the gradients of its pictures."""
    rows, width, _ = v_rgb.shape
    out[:] = ZERO
    for y in range(rows):
        for x in range(width):
            block = (x // LANES) * rows + y
            at, left = block * BACKWARD + x % LANES, abs(state[block * FORWARD + x % LANES])
            out[at + T] = left
            out[at + BEHIND] = -left * v_alpha[y, x, 0]
            out[at + V_RED], out[at + V_GREEN], out[at + V_BLUE] = v_rgb[y, x, 0], v_rgb[y, x, 1], v_rgb[y, x, 2]
            out[at + V_DEPTH] = v_depth[y, x, 0]


@numba.njit(**OPTIONS)
def _strip_backward(splat, dx, dy, place, state, last, sums):
    """One splat over rows of a strip, undoing its composition; adds to 7 planes of ``sums`` (7 x LANES):
    weight times the gradients of red, green, blue, depth; then g, g v and g v^2 (see ``_splat_gradient``).
    """
    a, b, c, limit, opacity, red, green, blue, depth = splat[2:11]
    for row in range(len(last) // LANES):
        pixels, latest = state[row * BACKWARD:(row + 1) * BACKWARD], last[row * LANES:(row + 1) * LANES]
        live = False
        for k in range(LANES):
            live |= latest[k] >= place
        if not live:
            continue
        y = dy + F(row)
        u0, v = a * dx + b * y, c * y
        for k in range(LANES):
            u = u0 + a * F(k)
            distance = u * u + v * v
            raw = opacity * _exp_minus_4(distance)
            alpha = CEILING if raw > CEILING else raw
            alpha = alpha if distance <= limit and latest[k] >= place else ZERO
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
            g = ZERO if raw > CEILING else v_alpha * alpha
            sums[4 * LANES + k] += g
            sums[5 * LANES + k] += g * v
            sums[6 * LANES + k] += g * v * v


@numba.njit(**OPTIONS)
def _splat_gradient(splat, gx, gxx, gv, gxv, gvv, v_mean, v_whitening):
    """Gradients of mean and whitening from moments of g = alpha d(loss)/d(alpha): gxv = sum of g dx v, and so on.

    With s = u^2 + v^2, d(loss)/ds = -4 g; u and dy are linear in dx and v.
    """
    a, b, c = splat[2], splat[3], splat[4]
    gu, guv, gux = a * gx + b / c * gv, a * gxv + b / c * gvv, a * gxx + b / c * gxv
    v_mean[0] = EIGHT * a * gu
    v_mean[1] = EIGHT * (b * gu + c * gv)
    v_whitening[0] = -EIGHT * EIGHTH_ROOT * gux
    v_whitening[1] = -EIGHT * EIGHTH_ROOT * guv / c
    v_whitening[2] = -EIGHT * EIGHTH_ROOT * gvv / c


@numba.njit("void(f4[:,::1],i4[:,::1],i4[::1],i4[::1],i8,f4[::1],i4[::1],"
            "f4[:,::1],f4[:,::1],f4[::1],f4[::1],f4[:,::1])", **OPTIONS)
def compose_backward(packed, boxes, ids, order, rows, state, last, v_means2d, v_whitening, v_depths, v_opacities, v_colours):
    """Fill the gradients of the splats in ``order``, walking from far to near; ``state`` as ``pack_gradients`` left it."""
    sums = np.empty(7 * LANES, np.float32)
    for place in range(len(order) - 1, -1, -1):
        splat, box, n = packed[order[place]], boxes[order[place]], ids[order[place]]
        dy = F(box[2]) + HALF - splat[1]
        g, gx, gxx, gv, gxv, gvv = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
        for strip in range(box[0], box[1]):
            dx = F(strip * LANES) + HALF - splat[0]
            first, end = strip * rows + box[2], strip * rows + box[3]
            sums[:] = ZERO
            _strip_backward(splat, dx, dy, np.int32(place), state[first * BACKWARD:end * BACKWARD],
                            last[first * LANES:end * LANES], sums)
            for k in range(LANES):
                x = dx + F(k)
                v_colours[n, 0] += sums[k]
                v_colours[n, 1] += sums[LANES + k]
                v_colours[n, 2] += sums[2 * LANES + k]
                v_depths[n] += sums[3 * LANES + k]
                g += sums[4 * LANES + k]
                gx += sums[4 * LANES + k] * x
                gxx += sums[4 * LANES + k] * x * x
                gv += sums[5 * LANES + k]
                gxv += sums[5 * LANES + k] * x
                gvv += sums[6 * LANES + k]
        _splat_gradient(splat, gx, gxx, gv, gxv, gvv, v_means2d[n], v_whitening[n])
        v_opacities[n] = g / splat[6]
