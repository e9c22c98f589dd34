"""Things on a kitchen table: mug, teapot, bottle and cake."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import EMBER, GLOW, SIGNAL, WOOD, arc, between
from engine.toybox.objects.primitives import ball, disc, hoop, lathe, moved, rod, tube


def build_mug(rng: np.random.Generator, paint: Paint) -> Assembly:
    """An open cup with a handle at +y and a coloured rim."""
    out = Assembly()
    tall, slim = rng.random(2)
    height, top = between(tall, 0.75, 1.45), 0.5
    foot = top * rng.uniform(0.68, 1.0)
    belly = top * rng.uniform(0.92, 1.12)
    wall = rng.uniform(0.05, 0.08)
    outer = [(foot * 0.9, 0), (foot, 0.04), (belly, 0.45 * height), (top, 0.96 * height)]
    inner = [(top - wall, 0.96 * height), (belly - wall, 0.45 * height), (foot - wall, 0.1), (0, 0.1)]
    out.add(paint["body"], lathe([(0, 0), *outer, *inner], 20))
    lip = 0.06 * height + 0.02
    ring = [
        (top - wall - 0.015, height - lip),
        (top + 0.02, height - lip),
        (top + 0.02, height),
        (top - wall - 0.015, height),
    ]
    out.add(paint["rim"], hoop(ring, 20))
    reach, rise = rng.uniform(0.27, 0.42), rng.uniform(0.24, 0.34) * height
    curve = arc((0, 0.93 * min(foot, belly, top), 0.5 * height), (reach, rise), -90, 90, "yz", 9)
    out.add(paint["handle"], tube(curve, between(slim, 0.06, 0.095), 8))
    if rng.random() < 0.4:
        out.add(WOOD, disc(belly - 0.5 * wall - 0.02, 0.03, (0, 0, 0.62 * height), "z", 16))
    out.describe(tall, "short", "tall")
    return out


def build_teapot(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A round pot with its spout at +x, its handle at -x (or over the top), and a lid with a knob."""
    out = Assembly()
    squat = rng.random()
    radius, height = 0.62, between(squat, 1.05, 0.72)
    level = np.linspace(0, 1, 9)
    lower, upper = rng.uniform(0.55, 0.75), rng.uniform(0.42, 0.55)
    swell = radius * (
        np.sin(np.pi * level) ** 0.8 * (1 - between(0.5, lower, upper)) + lower + (upper - lower) * level
    )
    out.add(
        paint["body"],
        lathe([(0, -0.05), (0.6 * radius, -0.05), *zip(swell, level * height, strict=True), (0, height)], 18),
    )
    _add_lid(out, paint, float(swell[-1]), height, rng)
    thick = rng.uniform(0.06, 0.085)
    tip = rng.uniform(0.34, 0.5)
    along = np.linspace(0, 1, 7)
    path = np.stack(
        [
            0.75 * radius + (0.25 * radius + tip) * along,
            0 * along,
            height * (0.3 + 0.7 * along**2 * (1.9 - 0.9 * along)),
        ],
        1,
    )
    out.add(paint["spout"], tube(path, np.linspace(0.18, 0.08, 7), 9))
    if rng.random() < 0.25:
        curve = arc((0, 0, 0.72 * height), (0.9 * radius, 0.72), 5, 175, "xz", 11)
        curve[:, 2] += 0.02
    else:
        curve = arc(
            (-0.82 * radius, 0, 0.52 * height), (rng.uniform(0.36, 0.5), 0.36 * height), 90, 270, "xz", 10
        )
    out.add(paint["handle"], tube(curve, thick, 8))
    out.describe(squat, "tall", "round")
    return out


def _add_lid(out: Assembly, paint: Paint, radius: float, height: float, rng: np.random.Generator) -> None:
    """A shallow dome with a ball knob on top of the pot's mouth."""
    dome = rng.uniform(0.1, 0.2)
    wide = radius + 0.06
    out.add(
        paint["lid"],
        lathe(
            [
                (0, height - 0.02),
                (wide, height - 0.02),
                (wide, height + 0.03),
                (0.6 * wide, height + 0.8 * dome),
                (0, height + dome),
            ],
            18,
        ),
        ball(rng.uniform(0.08, 0.11), (0, 0, height + dome + 0.05), 10, 6),
    )


def build_bottle(rng: np.random.Generator, paint: Paint) -> Assembly:
    """A bottle of revolution with a cap and a label band."""
    out = Assembly()
    slim, neck_share = rng.random(2)
    radius = between(slim, 0.46, 0.28)
    straight, shoulder = rng.uniform(0.75, 1.0), rng.uniform(0.16, 0.42)
    neck, neck_radius = between(neck_share, 0.16, 0.42), max(radius * rng.uniform(0.32, 0.5), 0.11)
    level = np.linspace(0, 1, 5)[1:]
    ease = 0.5 + 0.5 * np.cos(np.pi * level)
    curve = np.stack([neck_radius + (radius - neck_radius) * ease, straight + shoulder * level], 1)
    top = straight + shoulder + neck
    out.add(
        paint["body"],
        lathe(
            [
                (0, 0),
                (0.88 * radius, 0),
                (radius, 0.06),
                (radius, straight),
                *curve,
                (neck_radius, top),
                (0, top),
            ],
            18,
        ),
    )
    cap, over = rng.uniform(0.13, 0.24), neck_radius + 0.045
    out.add(
        paint["cap"],
        lathe([(over, top - 0.45 * cap), (over, top + 0.5 * cap), (0.85 * over, top + 0.58 * cap)], 14),
    )
    low, high = rng.uniform(0.14, 0.26) * straight, rng.uniform(0.68, 0.86) * straight
    band = [(radius - 0.05, low), (radius + 0.022, low), (radius + 0.022, high), (radius - 0.05, high)]
    out.add(paint["label"], hoop(band, 18))
    out.describe(slim, "wide", "slim")
    return out


def build_cake(rng: np.random.Generator, paint: Paint) -> Assembly:
    """One to three tiers with dripping icing and lit candles."""
    out = Assembly()
    tiers = int(rng.integers(1, 4))
    radius, base = 0.82, 0.0
    out.add((0.9, 0.9, 0.92), lathe([(0.98, -0.06), (0.98, 0.0)], 20))
    for _ in range(tiers):
        height = rng.uniform(0.34, 0.5) * (1.25 if tiers == 1 else 1.0)
        out.add(paint["body"], lathe([(radius, base), (radius, base + height)], 20))
        _add_icing(out, paint, radius, base + height, height, rng)
        base += height + 0.05
        top_radius, radius = radius, radius * rng.uniform(0.6, 0.72)
    _add_candles(out, paint, top_radius, base, rng)
    out.describe((tiers - 1) / 2, "flat", "tall")
    return out


def _add_icing(
    out: Assembly, paint: Paint, radius: float, top: float, height: float, rng: np.random.Generator
) -> None:
    """A layer of icing over the tier's upper edge, with drops running down its side."""
    wide = radius + 0.035
    depth = rng.uniform(0.2, 0.32) * height
    out.add(paint["icing"], lathe([(wide, top - depth), (wide, top + 0.02), (wide - 0.05, top + 0.055)], 20))
    drops = int(rng.integers(7, 11))
    for angle in np.arange(drops) * (2 * np.pi / drops) + rng.uniform(0, 1):
        x, y = wide * np.cos(angle), wide * np.sin(angle)
        size = rng.uniform(0.07, 0.1)
        out.add(paint["icing"], ball((size, size, 1.5 * size), (0.96 * x, 0.96 * y, top - depth), 7, 4))


def _add_candles(out: Assembly, paint: Paint, radius: float, base: float, rng: np.random.Generator) -> None:
    """Burning candles in a circle (a single one stands in the middle), now and then round a cherry."""
    count = int(rng.choice([1, 3, 4, 5, 6]))
    ring = 0.0 if count == 1 else 0.62 * radius
    tall, thick = rng.uniform(0.28, 0.42), rng.uniform(0.055, 0.07)
    for k in range(count):
        angle = 2 * np.pi * k / count
        x, y = ring * np.cos(angle), ring * np.sin(angle)
        out.add(paint["candles"], rod((x, y, base - 0.03), (x, y, base + tall), thick, segments=7))
        flame = lathe([(0, 0), (0.055, 0.05), (0.04, 0.11), (0, 0.2)], 6)
        out.add(GLOW if k % 2 else EMBER, moved(flame, (x, y, base + tall)))
    if count > 3 and rng.random() < 0.5:
        out.add(SIGNAL, ball(0.11, (0, 0, base + 0.06), 9, 6))
