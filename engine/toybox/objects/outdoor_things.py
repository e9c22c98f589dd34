"""Things of the street and the sky."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import INK, STEEL, add_eye, arc, between, shade
from engine.toybox.objects.primitives import (
    annulus,
    ball,
    box,
    disc,
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


def build_cloud(rng: Draws, paint: Paint) -> Assembly:
    """A cloud of puffs on a flat base, sometimes with drops below it."""
    out = Assembly()
    out.add(paint["body"], ball((0.42, 0.95, 0.26), (0, 0, 0), 18, 9))
    for y, z, size in (
        (-0.5, 0.18, 0.34),
        (0.05, 0.34, 0.46),
        (0.55, 0.16, 0.34),
        (-0.2, 0.2, 0.4),
        (0.3, 0.3, 0.36),
    ):
        out.add(paint["body"], ball(size * rng.uniform(0.9, 1.1), (rng.uniform(-0.1, 0.1), y, z), 14, 9))
    for y in (-0.5, -0.15, 0.2, 0.55):
        out.add(paint["drops"], lathe([(0, 0), (0.085, 0.08), (0.07, 0.15), (0, 0.32)], 9))
        out.solids[-1] = moved(out.solids[-1], (0, y, -0.62 - rng.uniform(0, 0.18)))
    return out


def build_moon(rng: Draws, paint: Paint) -> Assembly:
    """A crescent that faces +x, with a sleepy face or craters, and a star."""
    out = Assembly()
    angle = np.deg2rad(np.linspace(52, 308, 25))
    middle = np.stack([0 * angle, 0.62 * np.cos(angle), 0.78 * np.sin(angle)], 1)
    out.add(paint["body"], tube(middle, 0.27 * np.sin(np.pi * np.linspace(0.03, 0.97, 25)) ** 0.8 + 0.01, 12))
    if rng.random() < 0.5:
        add_eye(out, (0.22, -0.5, 0.14), 0.07)
        out.add(INK, tube(arc((0.24, -0.48, -0.18), (0.1, 0.07), 200, 340, "yz", 7), 0.02, 5))
    else:
        for y, z in ((-0.62, 0.16), (-0.55, -0.2), (-0.4, 0.46)):
            out.add(
                shade(paint["body"], 0.8),
                *(ball((0.05, 0.1, 0.1), (side * 0.2, y, z), 9, 5) for side in (-1, 1)),
            )
    tips = np.deg2rad(np.arange(10) * 36 + 90)
    reach = np.where(np.arange(10) % 2, 0.12, 0.28)
    star = slab(np.stack([reach * np.cos(tips), reach * np.sin(tips)], 1), 0.14, 0.2)
    out.add(paint["star"], moved(turned(star, "z", 90), (0, 0.34, rng.uniform(-0.15, 0.2))))
    return out


def build_mailbox(rng: Draws, paint: Paint) -> Assembly:
    """A mailbox on a post that faces +x: a round roof, a door, a flag on its side."""
    out = Assembly()
    post = rng.uniform(0.6, 0.95)
    roof = arc((0, 0, 0.3), (0.28, 0.26), 0, 180, "yz", 11)
    outline = np.concatenate([[(0.28, 0.0)], roof[:, 1:], [(-0.28, 0.0)]])
    body = turned(slab(outline, 1.0), "z", 90)
    out.add(paint["body"], moved(body, (0, 0, post)))
    out.add(paint["door"], moved(turned(slab(0.9 * outline, 0.06), "z", 90), (0.5, 0, post + 0.03)))
    out.add(STEEL, rounded_box((0.08, 0.12, 0.05), (0.55, 0, post + 0.42), 0.02))
    out.add(paint["flag"], rod((-0.05, 0.31, post + 0.2), (-0.05, 0.31, post + 0.75), 0.03))
    out.add(paint["flag"], box((0.26, 0.05, 0.16), (0.06, 0.31, post + 0.68)))
    out.add(paint["post"], rounded_box((0.18, 0.18, post + 0.05), (0, 0, 0.5 * post), 0.03))
    out.add(paint["post"], rounded_box((0.7, 0.4, 0.08), (0, 0, post - 0.02), 0.02))
    return out


def build_hydrant(rng: Draws, paint: Paint) -> Assembly:
    """A fire hydrant: a barrel with a dome, outlets on three sides, flanges and bolts."""
    out = Assembly()
    tall = rng.random()
    high = between(tall, 0.8, 1.15)
    out.add(
        paint["body"],
        lathe(
            [
                (0.3, 0.1),
                (0.28, high),
                (0.34, high),
                (0.34, high + 0.08),
                (0.26, high + 0.24),
                (0.1, high + 0.36),
                (0, high + 0.38),
            ],
            18,
        ),
    )
    for z in (0.05, high - 0.02):
        out.add(paint["caps"], disc(0.4, 0.1, (0, 0, z), "z", 18))
    out.add(paint["caps"], disc(0.09, 0.14, (0, 0, high + 0.42), "z", 6))
    for axis, way in (("y", (0, 1, 0)), ("y", (0, -1, 0)), ("x", (1, 0, 0))):
        at, size = np.array(way) * 0.36 + (0, 0, 0.68 * high), 0.19 if axis == "x" else 0.14
        out.add(paint["body"], disc(size, 0.24, at, axis, 14))
        out.add(
            paint["caps"],
            disc(0.9 * size, 0.1, at + 0.15 * np.array(way), axis, 14),
            disc(0.06, 0.12, at + 0.22 * np.array(way), axis, 6),
        )
    out.describe(tall, "short", "tall")
    return out


def build_igloo(rng: Draws, paint: Paint) -> Assembly:
    """An igloo that faces +x: a dome of blocks, a round entrance."""
    out = Assembly()
    radius = rng.uniform(0.72, 0.82)
    angle = np.linspace(0, 0.5 * np.pi, 10)
    out.add(paint["body"], lathe([*zip(radius * np.cos(angle), radius * np.sin(angle), strict=True)], 26))
    for level in (0.3, 0.56, 0.76):
        ring = radius * np.sqrt(1 - (level / 0.95) ** 2) + 0.01
        out.add(
            paint["joints"], annulus(ring - 0.03, ring + 0.012, 0.03, (0, 0, level * radius / 0.95), "z", 26)
        )
    gate = rng.uniform(0.3, 0.38)
    arch = arc((0, 0, 0), (gate, 1.15 * gate), 0, 180, "yz", 11)[:, 1:]
    out.add(paint["body"], moved(turned(slab(arch, 0.5), "z", 90), (radius + 0.02, 0, 0)))
    out.add(paint["door"], moved(turned(slab(0.76 * arch, 0.08), "z", 90), (radius + 0.25, 0, 0)))
    out.add(paint["joints"], stretched(disc(1.15, 0.06, (0.15, 0, -0.03), "z", 24), (1, 0.85, 1)))
    return out
