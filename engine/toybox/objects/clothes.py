"""Clothes as they hang, with their front towards +x."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Colour, Paint
from engine.toybox.objects.details import between
from engine.toybox.objects.primitives import (
    ball,
    box,
    disc,
    hoop,
    lathe,
    moved,
    rod,
    rounded_box,
    slab,
    stretched,
    tube,
    turned,
)

Draws = np.random.Generator
FLAT = (0.5, 1.0, 1.0)
"""Cloth is about half as deep as it is wide."""


def _flat_lathe(out: Assembly, colour: Colour, profile: list[tuple[float, float]]) -> None:
    """Something of revolution, flattened as cloth round a body is."""
    out.add(colour, stretched(lathe(profile, 20), FLAT))


def build_shirt(rng: Draws, paint: Paint) -> Assembly:
    """A shirt: trunk, two sleeves, a collar, and buttons or a pocket."""
    out = Assembly()
    long = rng.random()
    sleeve = between(long, 0.28, 0.75)
    _flat_lathe(out, paint["body"], [(0.44, 0), (0.42, 0.5), (0.46, 0.88), (0.36, 1.02), (0.2, 1.08)])
    for sy in (-1, 1):
        hand = (0, sy * (0.42 + 0.75 * sleeve), 0.92 - 0.65 * sleeve)
        out.add(paint["sleeves"], rod((0, sy * 0.34, 0.94), hand, 0.15, 0.13, 12))
        out.add(paint["collar"], rod(hand, (0, hand[1] + sy * 0.04, hand[2] - 0.035), 0.14, 0.14, 12))
    out.add(
        paint["collar"],
        stretched(
            moved(hoop([(0.16, 0), (0.23, 0), (0.2, 0.12), (0.15, 0.12)], 18), (0, 0, 1.02)), (0.75, 1, 1)
        ),
    )
    if rng.random() < 0.6:
        for z in np.linspace(0.18, 0.88, 5):
            out.add(paint["collar"], disc(0.035, 0.06, (0.22, 0, z), "x", 8))
    else:
        out.add(paint["collar"], rounded_box((0.05, 0.18, 0.2), (0.2, 0.2, 0.68), 0.02))
    out.describe(long, "short", "long")
    return out


def build_trousers(rng: Draws, paint: Paint) -> Assembly:
    """Trousers: two legs, a seat, a belt with a buckle."""
    out = Assembly()
    long = rng.random()
    down = between(long, 0.5, 1.15)
    for sy in (-1, 1):
        out.add(paint["body"], rod((0, sy * 0.22, 0), (0, sy * 0.25, -down), 0.24, 0.19, 14))
        out.add(
            paint["cuffs"], rod((0, sy * 0.25, 0.08 - down), (0, sy * 0.25, -0.01 - down), 0.205, 0.205, 14)
        )
    _flat_lathe(out, paint["body"], [(0.3, -0.16), (0.46, 0.0), (0.42, 0.36)])
    out.add(paint["belt"], stretched(hoop([(0.4, 0.33), (0.45, 0.33), (0.45, 0.43), (0.4, 0.43)], 22), FLAT))
    out.add((0.86, 0.78, 0.3), rounded_box((0.05, 0.13, 0.12), (0.22, 0, 0.38), 0.02))
    out.describe(long, "short", "long")
    return out


def build_dress(rng: Draws, paint: Paint) -> Assembly:
    """A dress: a bodice with short sleeves, a belt, a wide skirt with a hem."""
    out = Assembly()
    wide = rng.random()
    hem = between(wide, 0.5, 0.85)
    out.add(
        paint["body"], stretched(lathe([(hem, -0.8), (0.65 * hem, -0.35), (0.26, 0.02)], 22), (0.75, 1, 1))
    )
    out.add(
        paint["hem"],
        stretched(
            hoop([(hem - 0.06, -0.83), (hem + 0.02, -0.83), (0.94 * hem, -0.68), (0.88 * hem, -0.68)], 22),
            (0.75, 1, 1),
        ),
    )
    _flat_lathe(out, paint["body"], [(0.27, 0), (0.36, 0.35), (0.32, 0.5), (0.14, 0.55)])
    for sy in (-1, 1):
        out.add(paint["body"], ball((0.14, 0.16, 0.15), (0, sy * 0.36, 0.44), 10, 6))
    out.add(
        paint["belt"],
        stretched(hoop([(0.24, -0.04), (0.31, -0.04), (0.31, 0.08), (0.24, 0.08)], 20), (0.72, 1, 1)),
    )
    out.describe(wide, "slim", "wide")
    return out


def build_sock(rng: Draws, paint: Paint) -> Assembly:
    """A sock that points to +x: leg, heel and toe, with a cuff."""
    out = Assembly()
    tall = rng.random()
    high = between(tall, 0.6, 1.1)
    out.add(
        paint["body"],
        tube(
            [(0, 0, high), (0, 0, 0.4 * high), (0.02, 0, 0.05), (0.2, 0, -0.12), (0.62, 0, -0.14)],
            [0.23, 0.21, 0.22, 0.22, 0.19],
            14,
        ),
    )
    out.add(paint["toe"], ball((0.2, 0.2, 0.185), (0.66, 0, -0.14), 14, 8))
    out.add(paint["toe"], ball((0.2, 0.215, 0.2), (-0.02, 0, -0.06), 14, 8))
    out.add(
        paint["cuff"], moved(hoop([(0.18, 0), (0.26, 0), (0.26, 0.18), (0.18, 0.18)], 18), (0, 0, high - 0.1))
    )
    out.describe(tall, "short", "tall")
    return out


def build_glove(rng: Draws, paint: Paint) -> Assembly:
    """A glove whose palm faces +x: four fingers, a thumb, a cuff."""
    out = Assembly()
    thick = rng.uniform(0.085, 0.11)
    out.add(paint["body"], rounded_box((0.26, 0.62, 0.6), (0, 0, 0.34), 0.12))
    for k, y in enumerate(np.linspace(-0.24, 0.24, 4)):
        tip = (0.02, 1.25 * y, 0.95 + 0.12 * (k in (1, 2)))
        out.add(paint["body"], rod((0, y, 0.5), tip, thick, 0.9 * thick, 10), ball(0.9 * thick, tip, 10, 6))
    out.add(
        paint["body"],
        rod((0, 0.22, 0.2), (0.08, 0.55, 0.52), 0.12, 0.1, 10),
        ball(0.1, (0.08, 0.55, 0.52), 10, 6),
    )
    out.add(paint["cuff"], stretched(moved(lathe([(0.36, 0), (0.3, 0.3)], 18), (0, 0, -0.18)), FLAT))
    return out


def build_tie(rng: Draws, paint: Paint) -> Assembly:
    """A necktie: a knot above a blade that widens to a point, with stripes."""
    out = Assembly()
    slim = rng.random()
    wide, long = between(slim, 0.3, 0.17), rng.uniform(1.3, 1.7)
    down = np.linspace(0, 0.25 - long, 9)
    edge = 0.09 + (wide - 0.09) * down / (0.25 - long)
    blade = [*zip(edge, down, strict=True), (0, -long), *zip(-edge[::-1], down[::-1], strict=True)]
    out.add(paint["body"], turned(slab(blade, 0.1, 0.06), "z", 90))
    out.add(
        paint["knot"],
        turned(slab([(-0.16, 0.2), (0.16, 0.2), (0.09, -0.06), (-0.09, -0.06)], 0.18, 0.2), "z", 90),
    )
    for z in np.linspace(-0.3, 0.35 - long, 4):
        half = 0.09 + (wide - 0.09) * -z / (long - 0.25)
        out.add(paint["stripes"], moved(turned(box((0.12, 1.8 * half, 0.1), (0, 0, 0)), "x", 24), (0, 0, z)))
    out.describe(slim, "wide", "slim")
    return out
