"""Numba kernels that pack the projected splats which touch the image, and sort them from near to far; see
`splats_composing`.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from engine.render.splats_composing import COLUMNS, EIGHTH_ROOT, OPTIONS, ROWS, F
from engine.render.splats_torch import MIN_ALPHA, NEAR


@numba.njit("i8(f4[:,::1],f4[:,::1],f4[::1],f4[::1],f4[:,::1],i8,i8,f4[:,::1],i4[:,::1],i4[::1])", **OPTIONS)
def cull(means2d, whitening, depths, opacities, colours, width, height, packed, boxes, ids):
    """Pack the splats that touch the image and return their number V: so many rows of ``packed``, ``boxes``,
    ``ids`` are filled.

    ``packed`` (N,11): mean x, y; a, b, c scaled so that alpha = o exp(-4 (u^2 + v^2)); the u^2 + v^2 where
    alpha falls below MIN_ALPHA; opacity; red, green, blue; depth. ``boxes`` (N,4): first and one-past-last
    column and row of blocks.
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
        top, bottom = (
            max(means2d[n, 1] - reach_y - 0.5, 0.0),
            min(means2d[n, 1] + reach_y - 0.5, height - 1.0),
        )
        if not (left <= right and top <= bottom):
            continue
        row, box = packed[count], boxes[count]
        row[0], row[1], row[2], row[3], row[4], row[5] = means2d[n, 0], means2d[n, 1], a, b, c, limit
        row[6], row[7], row[8], row[9], row[10] = (
            opacities[n],
            colours[n, 0],
            colours[n, 1],
            colours[n, 2],
            depths[n],
        )
        box[0], box[1] = int(left) // COLUMNS, int(right) // COLUMNS + 1
        box[2], box[3] = int(top) // ROWS, int(bottom) // ROWS + 1
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


@numba.njit("void(i4[::1],f4[:,::1],i4[:,::1],i4[::1],f4[:,::1],i4[:,::1],i4[::1])", **OPTIONS)
def reorder(order, packed, boxes, ids, packed_out, boxes_out, ids_out):
    """Rows in the order given."""
    for place in range(len(order)):
        source = order[place]
        for j in range(packed.shape[1]):
            packed_out[place, j] = packed[source, j]
        for j in range(4):
            boxes_out[place, j] = boxes[source, j]
        ids_out[place] = ids[source]
