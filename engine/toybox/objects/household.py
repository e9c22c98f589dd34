"""Things of a house: to sleep, wash, pack and look with. Those with a front look to +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import GLASS, STEEL, between, shade
from engine.toybox.objects.primitives import (
    annulus,
    ball,
    box,
    cone,
    disc,
    hoop,
    lathe,
    loft,
    moved,
    rod,
    rounded_box,
    stretched,
    tube,
    turned,
)

Draws = np.random.Generator


def build_pillow(rng: Draws, paint: Paint) -> Assembly:
    """A pillow: a cushion with pinched corners, a seam, and a button or stripes."""
    out = Assembly()
    wide, plump = rng.uniform(0.8, 1.15), rng.uniform(0.5, 0.75)
    around = np.linspace(0, 2 * np.pi, 33)[:-1]
    power = 0.6
    square = np.stack([np.sign(part) * np.abs(part) ** power for part in (np.cos(around), np.sin(around))], 1)
    rings = []
    for height, size in (
        (-1, 0.02),
        (-0.95, 0.4),
        (-0.7, 0.75),
        (-0.25, 0.96),
        (0, 1.0),
        (0.25, 0.96),
        (0.7, 0.75),
        (0.95, 0.4),
        (1, 0.02),
    ):
        rings.append(
            np.column_stack(
                [0.8 * size * square[:, 0], wide * size * square[:, 1], np.full(32, 0.5 * plump * height)]
            )
        )
    out.add(paint["body"], loft(np.stack(rings)))
    seam = np.column_stack([0.81 * square[:, 0], (wide + 0.01) * square[:, 1], np.zeros(32)])
    out.add(paint["trim"], tube(np.concatenate([seam, seam[:1]]), 0.035, 6))
    out.add(paint["trim"], disc(0.09, 0.06, (0, 0, 0.5 * plump), "z", 12))
    return out


def build_mirror(rng: Draws, paint: Paint) -> Assembly:
    """A standing mirror that faces +x: an oval or a rectangle in a frame, on two feet."""
    out = Assembly()
    high = rng.uniform(0.7, 0.95)
    if rng.random() < 0.6:
        out.add(paint["glass"], stretched(disc(0.5, 0.06, (0.02, 0, 0), "x", 26), (1, 1, high / 0.5)))
        around = np.linspace(0, 2 * np.pi, 29)
        ring = np.stack([0 * around, 0.52 * np.cos(around), (high + 0.02) * np.sin(around)], 1)
        out.add(paint["body"], tube(ring, 0.07, 8))
    else:
        out.add(paint["body"], rounded_box((0.1, 1.1, 2 * high + 0.1), (0, 0, 0), 0.03))
        out.add(paint["glass"], box((0.06, 0.94, 2 * high - 0.06), (0.04, 0, 0)))
    for sy in (-1, 1):
        out.add(paint["body"], rod((0, sy * 0.56, 0.1), (0, sy * 0.56, -high - 0.2), 0.05))
        out.add(paint["body"], rod((-0.3, sy * 0.56, -high - 0.2), (0.3, sy * 0.56, -high - 0.2), 0.05))
    return out


def build_window(rng: Draws, paint: Paint) -> Assembly:
    """A window: a frame with a cross, panes, a sill, now and then two shutters."""
    out = Assembly()
    high = rng.uniform(0.6, 0.85)
    for sy in (-1, 1):
        out.add(paint["body"], box((0.14, 0.1, 2 * high + 0.1), (0, sy * 0.55, 0)))
        for sz in (-1, 1):
            out.add(paint["glass"], box((0.05, 0.47, high - 0.08), (0, sy * 0.27, sz * 0.5 * high)))
    for z in (-high, 0, high):
        out.add(paint["body"], box((0.14, 1.2, 0.1), (0, 0, z)))
    out.add(paint["body"], box((0.14, 0.08, 2 * high), (0, 0, 0)))
    out.add(paint["body"], rounded_box((0.3, 1.36, 0.08), (0.08, 0, -high - 0.08), 0.02))
    if rng.random() < 0.6:
        for sy in (-1, 1):
            shutter = rounded_box((0.06, 0.56, 2 * high), (0, 0.28, 0), 0.02)
            out.add(
                paint["shutters"], moved(stretched(turned(shutter, "z", 18), (1, sy, 1)), (0.05, sy * 0.6, 0))
            )
    else:
        out.add(paint["shutters"], rounded_box((0.2, 1.3, 0.12), (0.06, 0, high + 0.1), 0.02))
    return out


def build_suitcase(rng: Draws, paint: Paint) -> Assembly:
    """An upright suitcase: bands, corners, a handle; on wheels with a bar, or without."""
    out = Assembly()
    tall = rng.random()
    high = between(tall, 0.8, 1.25)
    out.add(paint["body"], rounded_box((0.4, 0.9, high), (0, 0, 0.5 * high), 0.09))
    for y in (-0.25, 0.25):
        out.add(paint["bands"], rounded_box((0.43, 0.1, high + 0.03), (0, y, 0.5 * high), 0.03))
    grip = [(0, -0.16, high), (0, -0.15, high + 0.12), (0, 0.15, high + 0.12), (0, 0.16, high)]
    out.add(paint["handle"], tube(grip, 0.045, 8))
    if rng.random() < 0.5:
        for sy in (-1, 1):
            out.add(STEEL, rod((-0.14, sy * 0.2, high), (-0.14, sy * 0.2, high + 0.5), 0.025))
            out.add(paint["handle"], disc(0.09, 0.08, (-0.1, sy * 0.36, -0.05), "y", 12))
        out.add(paint["handle"], rod((-0.14, -0.24, high + 0.5), (-0.14, 0.24, high + 0.5), 0.05))
    out.describe(tall, "short", "tall")
    return out


def build_coin(rng: Draws, paint: Paint) -> Assembly:
    """A coin on its edge that faces +x: a raised rim and a sign in its middle."""
    out = Assembly()
    thick = rng.uniform(0.12, 0.2)
    out.add(paint["body"], disc(0.82, thick, (0, 0, 0), "x", 34))
    out.add(paint["rim"], annulus(0.78, 0.92, thick + 0.08, segments=34))
    sign = rng.integers(3)
    for side in (-1, 1):
        at = (side * 0.5 * thick, 0, 0)
        if sign == 0:
            out.add(paint["sign"], moved(stretched(ball(0.34, (0, 0, 0), 16, 8), (0.16, 1, 1)), at))
        elif sign == 1:
            out.add(paint["sign"], moved(box((0.1, 0.2, 0.86), (0, 0, 0)), at))
        else:
            out.add(
                paint["sign"],
                *(moved(turned(box((0.1, 0.2, 0.9), (0, 0, 0)), "x", angle), at) for angle in (0, 60, 120)),
            )
    return out


def build_fan(rng: Draws, paint: Paint) -> Assembly:
    """A table fan that faces +x: blades in a cage, a stem, a foot."""
    out = Assembly()
    count, stem = int(rng.integers(3, 6)), rng.uniform(0.5, 0.9)
    top = stem + 0.62
    for k in range(count):
        blade = turned(ball((0.03, 0.17, 0.26), (0, 0, 0.3), 10, 6), "z", 25)
        out.add(paint["blades"], moved(turned(blade, "x", 360 / count * k), (0.06, 0, top)))
    out.add(paint["body"], ball((0.16, 0.13, 0.13), (-0.02, 0, top), 12, 7))
    around = np.linspace(0, 2 * np.pi, 27)
    for x, radius in ((0.16, 0.36), (0.1, 0.6), (-0.06, 0.6)):
        ring = np.stack([np.full(27, x), radius * np.cos(around), top + radius * np.sin(around)], 1)
        out.add(paint["body"], tube(ring, 0.03, 6))
    for angle in np.arange(8) * np.pi / 4:
        out.add(
            paint["body"],
            rod((0.2, 0, top), (0.08, 0.6 * np.cos(angle), top + 0.6 * np.sin(angle)), 0.018, 0.018, 5),
        )
    out.add(paint["body"], rod((-0.1, 0, 0.05), (-0.08, 0, top), 0.06))
    out.add(paint["foot"], lathe([(0.4, 0), (0.4, 0.05), (0.1, 0.12)], 20))
    return out


def build_bathtub(rng: Draws, paint: Paint) -> Assembly:
    """A bathtub: an oval basin with a rim, four feet, a tap at -x, full of foam or of water."""
    out = Assembly()
    shape = (1.25, 0.72, 1)
    out.add(
        paint["body"],
        stretched(lathe([(0.5, 0.05), (0.66, 0.2), (0.78, 0.6), (0.7, 0.6), (0.62, 0.3)], 26), shape),
    )
    out.add(paint["rim"], stretched(hoop([(0.7, 0.57), (0.84, 0.57), (0.84, 0.64), (0.7, 0.64)], 26), shape))
    out.add(paint["water"], stretched(disc(0.72, 0.05, (0, 0, 0.52), "z", 24), shape))
    if rng.random() < 0.5:
        for _ in range(9):
            x, y = rng.uniform(-0.5, 0.5), rng.uniform(-0.25, 0.25)
            out.add((0.95, 0.96, 0.98), ball(rng.uniform(0.1, 0.2), (x, y, 0.56), 9, 5))
    out.add(STEEL, tube([(-0.98, 0, 0.55), (-1.0, 0, 0.95), (-0.85, 0, 1.02), (-0.72, 0, 0.92)], 0.045, 8))
    for sx in (-1, 1):
        for sy in (-1, 1):
            out.add(paint["rim"], ball((0.1, 0.1, 0.12), (sx * 0.52, sy * 0.3, 0.06), 9, 5))
    return out


def build_toilet(rng: Draws, paint: Paint) -> Assembly:
    """A toilet that faces +x: a tank, a bowl, a seat and a raised lid."""
    out = Assembly()
    tall = rng.random()
    high = between(tall, 0.45, 0.75)
    out.add(paint["body"], rounded_box((0.3, 0.72, high), (-0.5, 0, 0.56 + 0.5 * high), 0.07))
    out.add(paint["seat"], rounded_box((0.34, 0.76, 0.07), (-0.5, 0, 0.58 + high), 0.03))
    out.add(STEEL, disc(0.06, 0.05, (-0.5, 0, 0.63 + high), "z", 12))
    out.add(
        paint["body"], stretched(lathe([(0.3, 0), (0.24, 0.2), (0.36, 0.46), (0.36, 0.5)], 20), (1.25, 1, 1))
    )
    out.add(
        paint["seat"],
        stretched(hoop([(0.2, 0.49), (0.39, 0.49), (0.39, 0.56), (0.2, 0.56)], 22), (1.25, 1, 1)),
    )
    out.add(GLASS, stretched(disc(0.26, 0.04, (0, 0, 0.5), "z", 18), (1.25, 1, 1)))
    if rng.random() < 0.5:
        lid = stretched(disc(0.36, 0.06, (0, 0, 0), "x", 20), (1, 1, 1.15))
        out.add(paint["seat"], moved(turned(lid, "y", -10), (-0.3, 0, 0.92)))
    out.describe(tall, "low", "tall")
    return out


def build_broom(rng: Draws, paint: Paint) -> Assembly:
    """A broom that stands on its bristles: a long stick and a bundle or a flat brush."""
    out = Assembly()
    high = rng.uniform(1.5, 1.9)
    out.add(paint["handle"], rod((0, 0, 0.4), (0, 0, high), 0.055, 0.045))
    if rng.random() < 0.5:
        out.add(paint["body"], lathe([(0.34, 0), (0.26, 0.25), (0.1, 0.55)], 14))
        for z in (0.4, 0.5):
            out.add(paint["band"], hoop([(0.1, z), (0.2, z), (0.17, z + 0.05), (0.1, z + 0.05)], 14))
    else:
        for y in np.linspace(-0.36, 0.36, 10):
            out.add(paint["body"], rod((0, 1.1 * y, 0), (0, y, 0.36), 0.1, 0.08, 7))
        out.add(paint["band"], rounded_box((0.2, 0.86, 0.12), (0, 0, 0.38), 0.03))
    return out


def build_painting(rng: Draws, paint: Paint) -> Assembly:
    """A framed picture of hills and a sun that faces +x, with a stand behind."""
    out = Assembly()
    wide = rng.uniform(0.7, 1.0)
    out.add(paint["sky"], box((0.05, 1.7 * wide, 1.16), (0, 0, 0)))
    for sy in (-1, 1):
        out.add(paint["body"], rounded_box((0.14, 0.16, 1.4), (0, sy * 0.88 * wide, 0), 0.04))
        out.add(paint["body"], rounded_box((0.14, 1.9 * wide, 0.16), (0, 0, sy * 0.64), 0.04))
    for y, tall in ((-0.4 * wide, 0.55), (0.3 * wide, 0.4)):
        out.add(paint["hills"], stretched(disc(tall, 0.05, (0.02, 0, 0), "x", 20), (1, 1.1, 1)))
        out.solids[-1] = moved(out.solids[-1], (0, y, -0.56))
        keep = np.maximum(out.solids[-1].vertices, [-np.inf, -0.84 * wide, -0.57])
        out.solids[-1] = out.solids[-1]._replace(vertices=np.minimum(keep, [np.inf, 0.84 * wide, np.inf]))
    out.add((0.98, 0.86, 0.25), disc(0.13, 0.06, (0.025, rng.uniform(-0.3, 0.3), 0.3), "x", 16))
    out.add(shade(paint["body"], 0.7), rod((-0.05, 0, 0.3), (-0.5, 0, -0.7), 0.05))
    return out


def build_lightbulb(rng: Draws, paint: Paint) -> Assembly:
    """A light bulb: glass that narrows to a threaded base."""
    out = Assembly()
    radius = rng.uniform(0.46, 0.56)
    angle = np.linspace(-0.95, 0.5 * np.pi, 12)
    glass = [(radius * np.cos(a), 1.0 + radius * np.sin(a)) for a in angle]
    out.add(paint["body"], lathe([(0.22, 0.3), (0.25, 0.45), *glass], 20))
    for k in range(4):
        z = 0.02 + 0.085 * k
        out.add(
            paint["base"],
            hoop([(0.1, z), (0.24, z), (0.27, z + 0.04), (0.24, z + 0.08), (0.1, z + 0.08)], 16),
        )
    out.add(shade(paint["base"], 0.5), cone((0, 0, 0.04), (0, 0, -0.14), 0.16, 12))
    return out
