"""Buildings: their door or main side faces +x."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import (
    DARK_GLASS,
    GLASS,
    GLOW,
    INK,
    STEEL,
    WOOD,
    between,
    contrasting,
    shade,
)
from engine.toybox.objects.primitives import (
    ball,
    box,
    cone,
    disc,
    hoop,
    lathe,
    moved,
    rod,
    rounded_box,
    slab,
    tube,
    turned,
)  # fmt: skip

Draws = np.random.Generator


def _merlons(out: Assembly, colour: np.ndarray, radius: float, z: float, count: int = 8) -> None:
    """Battlements on a round tower."""
    for k in range(count):
        angle = 360 / count * k
        out.add(colour, moved(turned(box((0.1, 0.12, 0.12), (radius - 0.05, 0, 0)), "z", angle), (0, 0, z)))


def build_castle(rng: Draws, paint: Paint) -> Assembly:
    """A castle: walls with battlements between four round towers, pointed roofs, a gate."""
    out = Assembly()
    tall = rng.random()
    half, wall, tower = 0.62, rng.uniform(0.46, 0.58), between(tall, 0.8, 1.15)
    out.add(paint["body"], box((2 * half, 2 * half, wall), (0, 0, 0.5 * wall)))
    for k in np.linspace(-0.7, 0.7, 4) * half:
        for at in ((half - 0.04, k), (-half + 0.04, k), (k, half - 0.04), (k, -half + 0.04)):
            out.add(paint["body"], box((0.12, 0.12, 0.12), (*at, wall + 0.05)))
    for sx in (-1, 1):
        for sy in (-1, 1):
            at = (sx * half, sy * half, 0)
            out.add(
                shade(paint["body"], 0.94),
                moved(lathe([(0.22, 0), (0.2, tower), (0.25, tower), (0.25, tower + 0.08)], 14), at),
            )
            out.add(paint["roof"], cone((at[0], at[1], tower + 0.08), (at[0], at[1], tower + 0.62), 0.28, 12))
    keep = tower + rng.uniform(0.0, 0.2)
    out.add(paint["body"], box((0.54, 0.54, keep), (-0.1, 0, 0.5 * keep)))
    out.add(paint["roof"], box((0.64, 0.64, 0.42), (-0.1, 0, keep + 0.2), (0.04, 0.04)))
    out.add(paint["gate"], box((0.06, 0.34, 0.34), (half, 0, 0.17)))
    out.add(paint["gate"], disc(0.17, 0.06, (half, 0, 0.34), "x", 14))
    out.describe(tall, "short", "tall")
    return out


def build_tower(rng: Draws, paint: Paint) -> Assembly:
    """A round watch tower with battlements or a pointed roof, a door and slits."""
    out = Assembly()
    tall, roofed = rng.random(), bool(rng.random() < 0.6)
    high, radius = between(tall, 1.2, 1.8), rng.uniform(0.32, 0.4)
    out.add(
        paint["body"],
        lathe(
            [
                (1.15 * radius, 0),
                (radius, 0.2),
                (0.92 * radius, high - 0.1),
                (1.2 * radius, high),
                (1.2 * radius, high + 0.14),
            ],
            18,
        ),
    )
    if roofed:
        out.add(paint["roof"], cone((0, 0, high + 0.12), (0, 0, high + 0.8), 1.32 * radius, 16))
    else:
        _merlons(out, paint["roof"], 1.2 * radius, high + 0.18)
        out.add(paint["roof"], disc(1.1 * radius, 0.08, (0, 0, high + 0.12), "z", 16))
    out.add(paint["door"], box((0.1, 0.24, 0.36), (1.06 * radius, 0, 0.18)))
    out.add(paint["door"], disc(0.12, 0.1, (1.05 * radius, 0, 0.36), "x", 12))
    for k, z in enumerate((0.45, 0.68, 0.85)):
        out.add(
            INK,
            moved(turned(box((0.06, 0.09, 0.2), (0.97 * radius, 0, 0)), "z", 130 * k + 30), (0, 0, z * high)),
        )
    out.describe(tall, "short", "tall")
    return out


def build_lighthouse(rng: Draws, paint: Paint) -> Assembly:
    """A lighthouse: a striped tapering tower, a gallery, a lantern under a cap."""
    out = Assembly()
    tall = rng.random()
    high = between(tall, 1.3, 1.8)
    edges = np.linspace(0, 1, 6)
    for k, (low, top) in enumerate(pairwise(edges)):
        radius = [0.42 - 0.18 * share for share in (low, top)]
        out.add(
            paint["stripes"] if k % 2 else paint["body"],
            lathe([(radius[0], low * high), (radius[1], top * high)], 18),
        )
    out.add(shade(STEEL, 0.6), disc(0.34, 0.07, (0, 0, high + 0.02), "z", 18))
    out.add(GLOW, rod((0, 0, high + 0.04), (0, 0, high + 0.3), 0.17, 0.17, 12))
    for k in range(6):
        d = 0.18 * np.array([np.cos(np.pi * k / 3), np.sin(np.pi * k / 3), 0])
        out.add(INK, rod(d + (0, 0, high), d + (0, 0, high + 0.3), 0.02))
    out.add(paint["roof"], cone((0, 0, high + 0.28), (0, 0, high + 0.56), 0.26, 14))
    out.add(paint["roof"], box((0.08, 0.2, 0.32), (0.41, 0, 0.16)))
    out.describe(tall, "short", "tall")
    return out


def build_windmill(rng: Draws, paint: Paint) -> Assembly:
    """A windmill: a tapering tower, a cap, four sails that face +x."""
    out = Assembly()
    high, turn = rng.uniform(0.95, 1.15), rng.uniform(0, 90)
    out.add(paint["body"], lathe([(0.46, 0), (0.3, high)], 10))
    out.add(paint["roof"], lathe([(0.36, high), (0.3, high + 0.14), (0.0, high + 0.4)], 12))
    hub = np.array([0.42, 0, high + 0.06])
    out.add(WOOD, rod((0.1, 0, high + 0.06), hub + (0.06, 0, 0), 0.06))
    for k in range(4):
        sail = moved(box((0.03, 0.2, 0.72), (0, 0.1, 0.5)), (0, 0, 0))
        out.add(paint["sails"], moved(turned(sail, "x", turn + 90 * k), hub))
        out.add(WOOD, moved(turned(rod((0.02, 0, 0), (0.02, 0, 0.88), 0.03), "x", turn + 90 * k), hub))
    out.add(WOOD, box((0.08, 0.24, 0.38), (0.43, 0, 0.19)))
    for angle in (90, -90):
        pane = box((0.06, 0.16, 0.16), (0.37, 0, 0.52 * high))
        out.add(contrasting(paint["body"], GLASS, DARK_GLASS), turned(pane, "z", angle))
    return out


def build_church(rng: Draws, paint: Paint) -> Assembly:
    """A church: a nave with a gable roof, a spire over the door at the front."""
    out = Assembly()
    long, tall = rng.random(2)
    half, wide, wall = between(long, 0.55, 0.8), rng.uniform(0.3, 0.36), rng.uniform(0.5, 0.6)
    out.add(paint["body"], box((2 * half, 2 * wide, wall), (-0.1, 0, 0.5 * wall)))
    gable = slab([(-wide - 0.06, 0), (wide + 0.06, 0), (0, 0.42)], 2 * half + 0.1)
    out.add(paint["roof"], moved(turned(gable, "z", 90), (-0.1, 0, wall)))
    front, high = half + 0.05, between(tall, 0.95, 1.25)
    out.add(paint["body"], box((0.42, 0.42, high), (front - 0.05, 0, 0.5 * high)))
    out.add(paint["roof"], box((0.5, 0.5, 0.7), (front - 0.05, 0, high + 0.35), (0.03, 0.03)))
    top = high + 0.7
    out.add(GLOW, rod((front - 0.05, 0, top - 0.05), (front - 0.05, 0, top + 0.24), 0.025))
    out.add(GLOW, box((0.04, 0.17, 0.05), (front - 0.05, 0, top + 0.14)))
    out.add(paint["door"], box((0.06, 0.22, 0.3), (front + 0.16, 0, 0.15)))
    out.add(paint["door"], disc(0.11, 0.06, (front + 0.16, 0, 0.3), "x", 12))
    for x in np.linspace(-0.75, 0.3, 3) * half:
        out.add(
            contrasting(paint["body"], GLASS, DARK_GLASS),
            box((0.13, 2 * wide + 0.04, 0.28), (x, 0, 0.55 * wall)),
        )
    out.describe(tall, "short", "tall")
    return out


def build_bridge(rng: Draws, paint: Paint) -> Assembly:
    """An arched bridge along y with railings and two piers."""
    out = Assembly()
    rise = rng.random()
    high = between(rise, 0.18, 0.42)
    y = np.linspace(-1, 1, 11)
    z = high * (1 - y**2)
    for a, b, za, zb in zip(y, y[1:], z, z[1:]):
        angle = np.rad2deg(np.arctan2(zb - za, b - a))
        plank = turned(box((0.56, (b - a) * 1.12, 0.1)), "x", angle)
        out.add(paint["body"], moved(plank, (0, 0.5 * (a + b), 0.5 * (za + zb))))
    for sx in (-1, 1):
        rail = np.stack([np.full(11, sx * 0.26), y, z + 0.26], 1)
        out.add(paint["rails"], tube(rail, 0.04, 6))
        for k in range(0, 11, 2):
            out.add(paint["rails"], rod((sx * 0.26, y[k], z[k]), (sx * 0.26, y[k], z[k] + 0.26), 0.035))
    for sy in (-0.55, 0.55):
        top = high * (1 - sy**2)
        out.add(shade(paint["body"], 0.8), box((0.5, 0.16, top + 0.4), (0, sy, 0.5 * (top - 0.4))))
    out.describe(rise, "flat", "tall")
    return out


def build_tent(rng: Draws, paint: Paint) -> Assembly:
    """A ridge tent or a tipi with an open door at the front."""
    out = Assembly()
    if rng.random() < 0.5:
        half, high = rng.uniform(0.6, 0.8), rng.uniform(0.75, 0.95)
        sheet = turned(slab([(-0.62, 0), (0.62, 0), (0, high)], 2 * half), "z", 90)
        out.add(paint["body"], sheet)
        door = turned(slab([(-0.3, 0), (0.3, 0), (0, 0.7 * high)], 0.06), "z", 90)
        out.add(paint["door"], moved(door, (half + 0.01, 0, 0)))
        out.add(WOOD, rod((-half - 0.1, 0, high), (half + 0.1, 0, high), 0.035))
        for sx in (-1, 1):
            out.add(WOOD, rod((sx * half, 0, 0), (sx * half, 0, high + 0.1), 0.03))
            out.add(WOOD, ball(0.05, (sx * half, 0, high + 0.12), 10, 6))
            for sy in (-1, 1):
                out.add(WOOD, rod((sx * half, sy * 0.62, 0.0), (sx * (half + 0.14), sy * 0.78, 0.06), 0.03))
    else:
        high = rng.uniform(1.25, 1.5)
        out.add(paint["body"], lathe([(0.7, 0), (0.4, 0.43 * high), (0.06, high)], 12))
        door = slab([(-0.2, 0), (0.2, 0), (0, 0.6)], 0.05)
        out.add(paint["door"], moved(turned(turned(door, "z", 90), "y", -24), (0.68, 0, 0.02)))
        for k in range(4):
            d = 0.14 * np.array([np.cos(1.57 * k + 0.6), np.sin(1.57 * k + 0.6), 0])
            out.add(WOOD, rod((0, 0, high - 0.1), d + (0, 0, high + 0.26), 0.03))
    return out


def build_well(rng: Draws, paint: Paint) -> Assembly:
    """A wishing well: a round stone wall, two posts, a gable roof, a bucket on a rope."""
    out = Assembly()
    radius = rng.uniform(0.46, 0.54)
    for row in range(3):
        tone = 1.0 if row % 2 else 0.9
        ring = [
            (0.8 * radius, 0.17 * row),
            (radius, 0.17 * row),
            (radius, 0.17 * row + 0.16),
            (0.8 * radius, 0.17 * row + 0.16),
        ]
        out.add(shade(paint["body"], tone), hoop(ring))
    out.add((0.2, 0.36, 0.5), disc(0.8 * radius, 0.05, (0, 0, 0.34), "z", 16))
    high = rng.uniform(1.0, 1.2)
    for sy in (-1, 1):
        out.add(WOOD, rod((0, sy * 0.9 * radius, 0.3), (0, sy * 0.9 * radius, high), 0.06))
    roof = slab([(-0.5, 0), (0.5, 0), (0, 0.42)], 2.5 * radius)
    out.add(paint["roof"], moved(roof, (0, 0, high)))
    out.add(WOOD, rod((0, -0.9 * radius, high - 0.16), (0, 0.9 * radius, high - 0.16), 0.05))
    out.add(paint["bucket"], moved(lathe([(0.1, -0.12), (0.15, 0.12)], 12), (0, 0, 0.66)))
    out.add(WOOD, rod((0, 0, 0.7), (0, 0, high - 0.16), 0.02))
    return out


def build_fence(rng: Draws, paint: Paint) -> Assembly:
    """A picket fence along y: pointed boards on two rails."""
    out = Assembly()
    high = rng.uniform(0.7, 0.95)
    count = int(rng.integers(6, 9))
    for y in np.linspace(-0.95, 0.95, count):
        board = slab([(-0.09, 0), (0.09, 0), (0.09, high - 0.12), (0, high), (-0.09, high - 0.12)], 0.06)
        out.add(paint["body"], moved(turned(board, "z", 90), (0, y, 0)))
    for z in (0.25 * high, 0.7 * high):
        out.add(paint["rails"], box((0.06, 2.1, 0.1), (-0.06, 0, z)))
    for y in (-1.06, 1.06):
        out.add(paint["rails"], box((0.14, 0.14, high + 0.06), (-0.05, y, 0.5 * high + 0.03)))
        out.add(paint["rails"], ball(0.09, (-0.05, y, high + 0.1), 8, 5))
    return out


def build_skyscraper(rng: Draws, paint: Paint) -> Assembly:
    """A tall building: rows of windows, a stepped top, an entrance."""
    out = Assembly()
    tall = rng.random()
    high, half = between(tall, 1.4, 2.1), rng.uniform(0.34, 0.42)
    out.add(paint["body"], box((2 * half, 2 * half, high), (0, 0, 0.5 * high)))
    out.add(shade(paint["body"], 0.9), box((1.4 * half, 1.4 * half, 0.24), (0, 0, high + 0.12)))
    if rng.random() < 0.5:
        out.add(STEEL, rod((0, 0, high + 0.2), (0, 0, high + 0.62), 0.035, 0.01))
    rows = int(rng.integers(5, 8))
    for z in np.linspace(0.46, high - 0.18, rows):
        for k in np.linspace(-0.6, 0.6, 3) * half:
            out.add(paint["windows"], box((2 * half + 0.03, 0.3 * half, 0.13), (0, k, z)))
            out.add(paint["windows"], box((0.3 * half, 2 * half + 0.03, 0.13), (k, 0, z)))
    out.add(paint["door"], box((0.08, 0.26, 0.28), (half, 0, 0.14)))
    out.add(paint["door"], rounded_box((0.24, 0.42, 0.05), (half + 0.06, 0, 0.31), 0.02))
    out.describe(tall, "short", "tall")
    return out
