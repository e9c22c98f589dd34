"""Things to eat that were made."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import CREAM, GLOW, arc, between, shade
from engine.toybox.objects.primitives import (
    ball,
    box,
    disc,
    hoop,
    lathe,
    moved,
    rod,
    slab,
    stretched,
    tube,
    turned,
)

Draws = np.random.Generator
LEAF = (0.22, 0.52, 0.2)


def build_burger(rng: Draws, paint: Paint) -> Assembly:
    """A burger: bun, salad, cheese, patty, tomato, bun with seeds."""
    out = Assembly()
    tall = rng.random()
    step = between(tall, 0.85, 1.25)
    out.add(paint["body"], lathe([(0.5, 0), (0.56, 0.06), (0.54, 0.18), (0.0, 0.18)], 22))
    out.add(
        paint["patty"],
        lathe([(0.54, 0.18), (0.6, 0.22), (0.6, 0.18 + 0.14 * step), (0.54, 0.2 + 0.16 * step)], 22),
    )
    z = 0.2 + 0.16 * step
    out.add(GLOW, moved(turned(box((0.86, 0.86, 0.05)), "z", 45), (0, 0, z + 0.01)))
    out.add(paint["salad"], lathe([(0.5, z + 0.02), (0.66, z + 0.05), (0.62, z + 0.12), (0.0, z + 0.12)], 14))
    out.add((0.85, 0.2, 0.15), disc(0.54, 0.08, (0, 0, z + 0.16), "z", 20))
    top = z + 0.19
    out.add(
        paint["body"],
        lathe([(0.56, top), (0.6, top + 0.08), (0.46, top + 0.3), (0.2, top + 0.4), (0.0, top + 0.42)], 22),
    )
    for k in range(9):
        angle, share = 2.4 * k, 0.12 + 0.045 * k
        z_seed = top + 0.42 - 0.75 * share**1.6
        out.add(
            CREAM, ball((0.045, 0.03, 0.025), (share * np.cos(angle), share * np.sin(angle), z_seed), 6, 4)
        )
    out.describe(tall, "flat", "tall")
    return out


def build_pizza(rng: Draws, paint: Paint) -> Assembly:
    """A pizza with a slice drawn out: crust, cheese, toppings."""
    out = Assembly()
    slices = 8
    for k in range(slices):
        shift = 0.16 if k == 0 else 0.0
        angles = np.linspace(-22.5, 22.5, 5)
        wedge = [(0.0, 0.0), *[(0.9 * np.cos(np.deg2rad(a)), 0.9 * np.sin(np.deg2rad(a))) for a in angles]]
        crust = turned(slab([(1.1 * x, 1.1 * z) for x, z in wedge], 0.08), "x", 90)
        top = turned(slab(wedge, 0.07), "x", 90)
        for colour, solid, z in ((paint["crust"], crust, 0.0), (paint["body"], top, 0.05)):
            out.add(colour, turned(moved(solid, (shift, 0, z)), "z", 45 * k))
        rim = arc((shift, 0, 0), (1.0, 1.0), -22, 22, "xz", 5)[:, [0, 2, 1]] + (0, 0, 0.06)
        out.add(paint["crust"], turned(tube(rim, 0.1, 7), "z", 45 * k))
        for _ in range(2):
            reach, angle = rng.uniform(0.35, 0.75), np.deg2rad(rng.uniform(-14, 14))
            at = (shift + reach * np.cos(angle), reach * np.sin(angle), 0.1)
            out.add(paint["toppings"], turned(disc(0.1, 0.05, at, "z", 10), "z", 45 * k))
    return out


def build_icecream(rng: Draws, paint: Paint) -> Assembly:
    """An ice cream: one to three scoops in a cone, a cherry on top."""
    out = Assembly()
    scoops = int(rng.integers(1, 4))
    out.add(paint["cone"], lathe([(0.0, -0.95), (0.36, 0.0), (0.36, 0.06), (0.0, 0.06)], 14))
    for k in range(3):
        z = -0.7 + 0.27 * k
        radius = 0.36 * (z + 0.95) / 0.95
        ring = [
            (radius - 0.03, z - 0.02),
            (radius + 0.02, z - 0.02),
            (radius + 0.02, z + 0.02),
            (radius - 0.03, z + 0.02),
        ]
        out.add(shade(paint["cone"], 0.8), hoop(ring, 14))
    z = 0.24
    for k in range(scoops):
        size = 0.4 - 0.05 * k
        out.add(shade(paint["body"], 1.0 if k % 2 == 0 else 0.88), ball(size, (0, 0, z), 16, 9))
        z += 1.35 * size
    out.add(paint["cherry"], ball(0.13, (0, 0, z - 0.16), 10, 6))
    out.add(LEAF, tube([(0, 0, z - 0.08), (0.04, 0, z + 0.06), (0.14, 0, z + 0.16)], 0.02, 5))
    if scoops > 1:
        out.adjectives.append("tall")
    return out


def build_donut(rng: Draws, paint: Paint) -> Assembly:
    """A doughnut with icing and sprinkles."""
    out = Assembly()
    fat = rng.random()
    thick = between(fat, 0.22, 0.32)
    angle = np.linspace(0, 2 * np.pi, 13)[:-1]
    ring = [(0.58 + thick * np.cos(a), thick * np.sin(a)) for a in angle]
    out.add(paint["body"], hoop(ring, 24))
    top = [
        (0.58 + 1.06 * thick * np.cos(a), 0.03 + 1.04 * thick * np.sin(a))
        for a in np.linspace(0.05, np.pi - 0.05, 9)
    ]
    out.add(paint["icing"], hoop([*top, (0.58, 0.02)], 24))
    for k in range(14):
        a, b = 2.4 * k, rng.uniform(0.7, 2.4)
        r = 0.58 + 1.1 * thick * np.cos(b)
        at = np.array([r * np.cos(a), r * np.sin(a), 0.03 + 1.08 * thick * np.sin(b)])
        d = 0.05 * np.array([np.cos(5 * k), np.sin(5 * k), 0])
        out.add(paint["sprinkles"], rod(at - d, at + d, 0.025, segments=5))
    out.describe(fat, "slim", "chubby")
    return out


def build_cheese(rng: Draws, paint: Paint) -> Assembly:
    """A wedge of cheese with holes and a rind."""
    out = Assembly()
    high = rng.uniform(0.4, 0.6)
    wedge = [(-0.75, 0.0), (0.6, -0.5), (0.75, 0.0), (0.6, 0.5)]
    out.add(paint["body"], turned(slab(wedge, high), "x", 90))
    out.add(
        paint["rind"],
        turned(slab([(0.58, -0.52), (0.78, 0.0), (0.58, 0.52), (0.66, 0.0)], high + 0.02), "x", 90),
    )
    for k in range(9):
        share = rng.uniform(0.2, 0.85)
        sy = -1 if k % 2 else 1
        at = (-0.75 + 1.35 * share, sy * 0.5 * share, rng.uniform(-0.32, 0.32) * high)
        out.add(paint["holes"], ball(rng.uniform(0.06, 0.1), at, 8, 5))
    for _ in range(3):
        share = rng.uniform(0.4, 0.85)
        at = (-0.75 + 1.35 * share, rng.uniform(-0.3, 0.3) * share, 0.5 * high)
        out.add(paint["holes"], ball((0.09, 0.09, 0.03), at, 8, 5))
    return out


def build_egg(rng: Draws, paint: Paint) -> Assembly:
    """An egg in an egg cup, or a painted egg with bands."""
    out = Assembly()
    profile = [
        (0.0, -0.55),
        (0.26, -0.46),
        (0.42, -0.16),
        (0.4, 0.14),
        (0.28, 0.46),
        (0.12, 0.64),
        (0.0, 0.68),
    ]
    fat = rng.uniform(0.93, 1.07)
    out.add(paint["body"], lathe([(fat * r, z) for r, z in profile], 20))
    for z, radius in ((-0.24, 0.4 * fat), (0.02, 0.425 * fat), (0.27, 0.37 * fat)):
        ring = [
            (radius - 0.04, z - 0.05),
            (radius + 0.012, z - 0.05),
            (radius + 0.008, z + 0.05),
            (radius - 0.04, z + 0.05),
        ]
        if z == 0.02 or rng.random() < 0.6:
            out.add(paint["stripes"], hoop(ring, 20))
    out.add(
        paint["cup"],
        lathe([(0.3, -1.0), (0.12, -0.86), (0.1, -0.7), (0.36, -0.44), (0.44, -0.2), (0.38, -0.24)], 18),
    )
    return out


def build_bread(rng: Draws, paint: Paint) -> Assembly:
    """A loaf with cuts across its crust."""
    out = Assembly()
    long = rng.random()
    half = between(long, 0.6, 0.95)
    out.add(paint["body"], stretched(ball((half, 0.36, 0.34), (0, 0, 0.2), 18, 10), (1, 1, 1)))
    out.add(shade(paint["body"], 0.85), ball((0.96 * half, 0.37, 0.16), (0, 0, 0.06), 18, 6))
    for x in np.linspace(-0.6, 0.6, 4) * half:
        reach = np.sqrt(1 - (x / half) ** 2)
        cut = [
            (x - 0.08, -0.2, 0.2 + 0.27 * reach),
            (x, 0, 0.2 + 0.345 * reach),
            (x + 0.08, 0.2, 0.2 + 0.27 * reach),
        ]
        out.add(paint["cuts"], tube(cut, 0.055, 6))
    out.describe(long, "short", "long")
    return out


def build_lollipop(rng: Draws, paint: Paint) -> Assembly:
    """A lollipop: a round disc with a spiral on a stick."""
    out = Assembly()
    radius = rng.uniform(0.42, 0.52)
    out.add(paint["body"], disc(radius, 0.2, (0, 0, 0.5), "x", 24))
    angle = np.linspace(0.4, 4.2 * np.pi, 34)
    reach = radius * (0.06 + 0.86 * angle / angle[-1])
    for sx in (-1, 1):
        path = np.stack([np.full(34, sx * 0.1), reach * np.cos(angle), 0.5 + reach * np.sin(angle)], 1)
        out.add(paint["stripes"], tube(path, 0.045, 5))
    out.add(paint["stick"], rod((0, 0, -0.75), (0, 0, 0.5 - 0.9 * radius), 0.05))
    return out
