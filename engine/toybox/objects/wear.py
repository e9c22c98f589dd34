"""Things to wear and to carry."""

from __future__ import annotations

import numpy as np

from engine.toybox.objects.assembly import Assembly, Paint
from engine.toybox.objects.details import STEEL, arc, between, shade
from engine.toybox.objects.primitives import (
    ball,
    cone,
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


def build_crown(rng: Draws, paint: Paint) -> Assembly:
    """A crown: a band with points, a ball on each point, jewels round the band."""
    out = Assembly()
    tall, count = rng.random(), int(rng.integers(5, 9))
    high = between(tall, 0.4, 0.7)
    out.add(paint["body"], hoop([(0.6, 0), (0.66, 0), (0.7, 0.34), (0.64, 0.34)], 28))
    out.add(shade(paint["body"], 0.85), hoop([(0.58, -0.03), (0.7, -0.03), (0.7, 0.07), (0.58, 0.07)], 28))
    for k in range(count):
        angle = 360 / count * k
        point = slab([(-0.24, 0), (0.24, 0), (0, high)], 0.06)
        out.add(paint["body"], turned(moved(turned(point, "z", 90), (0.67, 0, 0.3)), "z", angle))
        out.add(paint["jewels"], turned(ball(0.085, (0.67, 0, 0.3 + high), 10, 6), "z", angle))
        out.add(
            paint["jewels"], turned(ball((0.05, 0.09, 0.09), (0.69, 0, 0.2), 10, 6), "z", angle + 180 / count)
        )
    out.describe(tall, "short", "tall")
    return out


def build_hat(rng: Draws, paint: Paint) -> Assembly:
    """A hat: a top hat, a straw hat or a wizard's, with a band."""
    out = Assembly()
    style = int(rng.integers(3))
    brim = rng.uniform(0.75, 0.9)
    if style == 0:
        out.add(paint["body"], lathe([(0.44, 0), (0.4, 0.3), (0.46, 0.8), (0.0, 0.8)], 24))
    elif style == 1:
        out.add(paint["body"], lathe([(0.5, 0), (0.46, 0.26), (0.34, 0.42), (0.0, 0.46)], 24))
    else:
        bend = rng.uniform(0.0, 0.4)
        path = [(0, 0, 0), (0.0, 0, 0.4), (-0.2 * bend, 0, 0.8), (-bend, 0, 1.15)]
        out.add(paint["body"], tube(path, [0.48, 0.32, 0.17, 0.02], 18))
    out.add(paint["body"], lathe([(0.2, 0.0), (brim, 0.03), (brim, 0.08), (0.2, 0.1)], 26))
    out.add(paint["band"], hoop([(0.4, 0.08), (0.52, 0.08), (0.5, 0.24), (0.38, 0.24)], 24))
    out.add(paint["band"], rounded_box((0.08, 0.2, 0.14), (0.5, 0, 0.16), 0.03))
    if style != 1:
        out.adjectives.append("tall")
    return out


def build_shoe(rng: Draws, paint: Paint) -> Assembly:
    """A sneaker or a boot that points to +x: sole, upper, laces."""
    out = Assembly()
    boot = bool(rng.random() < 0.4)
    high = rng.uniform(0.75, 1.0) if boot else rng.uniform(0.3, 0.4)
    out.add(
        paint["sole"],
        stretched(lathe([(0.96, 0), (1.0, 0.06), (1.0, 0.12), (0.96, 0.16)], 24), (0.76, 0.3, 1)),
    )
    out.add(paint["body"], ball((0.48, 0.27, 0.24), (0.24, 0, 0.2), 16, 8))
    out.add(
        paint["body"],
        tube([(-0.36, 0, 0.12), (-0.34, 0, 0.3), (-0.36, 0, high + 0.16)], [0.3, 0.28, 0.27], 16),
    )
    out.add(paint["body"], rod((-0.25, 0, 0.3), (0.3, 0, 0.26), 0.26, 0.2, 14))
    out.add(shade(paint["body"], 0.5), disc(0.22, 0.04, (-0.36, 0, high + 0.17), "z", 16))
    for x in (-0.06, 0.08, 0.22):
        lace = [(x, -0.2, 0.36 - 0.14 * x), (x, 0, 0.54 - 0.4 * x - 0.02), (x, 0.2, 0.36 - 0.14 * x)]
        out.add(paint["laces"], tube(lace, 0.035, 6))
    out.add(paint["sole"], ball((0.16, 0.2, 0.12), (0.6, 0, 0.18), 10, 6))
    if boot:
        out.nouns.append("boot")
    return out


def build_ring(rng: Draws, paint: Paint) -> Assembly:
    """A finger ring with a cut stone."""
    out = Assembly()
    thick = rng.uniform(0.07, 0.12)
    out.add(paint["body"], tube(arc((0, 0, 0), (0.56, 0.56), 92, 448, "yz", 26), thick, 9))
    size = rng.uniform(0.2, 0.3)
    out.add(paint["body"], cone((0, 0, 0.62 + 0.1), (0, 0, 0.46), 0.7 * size, 10))
    stone = lathe([(0.0, -0.7 * size), (size, 0.1 * size), (0.7 * size, 0.5 * size), (0.0, 0.5 * size)], 8)
    out.add(paint["stone"], moved(stone, (0, 0, 0.6 + 0.75 * size)))
    for k in range(4):
        d = 0.9 * size * np.array([np.cos(np.pi / 2 * k + 0.7), np.sin(np.pi / 2 * k + 0.7), 0])
        out.add(paint["body"], rod(0.5 * d + (0, 0, 0.62), d + (0, 0, 0.66 + 0.8 * size), 0.035))
    return out


def build_glasses(rng: Draws, paint: Paint) -> Assembly:
    """Spectacles that look to +x: two framed lenses, a bridge, temples."""
    out = Assembly()
    radius = rng.uniform(0.3, 0.38)
    for sy in (-1, 1):
        y = sy * (radius + 0.1)
        out.add(paint["body"], tube(arc((0, y, 0), (radius, 0.85 * radius), 0, 352, "yz", 20), 0.06, 7))
        out.add(paint["lenses"], stretched(disc(0.95, 0.05, (0, 0, 0), "x", 20), (1, radius, 0.85 * radius)))
        out.solids[-1] = moved(out.solids[-1], (0, y, 0))
        edge = sy * (2 * radius + 0.1)
        out.add(
            paint["body"],
            tube([(0, edge, 0.06), (-0.6, 1.02 * edge, 0.06), (-1.0, 1.0 * edge, -0.14)], 0.045, 7),
        )
    out.add(paint["body"], tube([(0, -0.12, 0.06), (0.03, 0, 0.12), (0, 0.12, 0.06)], 0.05, 7))
    return out


def build_backpack(rng: Draws, paint: Paint) -> Assembly:
    """A backpack: a rounded bag, a front pocket at +x, a flap, straps behind."""
    out = Assembly()
    tall = rng.random()
    high = between(tall, 0.9, 1.25)
    out.add(paint["body"], rounded_box((0.5, 0.84, high), (0, 0, 0.5 * high), 0.16))
    out.add(paint["body"], ball((0.27, 0.4, 0.2), (0, 0, high), 14, 7))
    out.add(paint["pocket"], rounded_box((0.24, 0.66, 0.42 * high), (0.32, 0, 0.27 * high), 0.08))
    out.add(paint["pocket"], rounded_box((0.08, 0.8, 0.3 * high), (0.26, 0, 0.84 * high), 0.03))
    out.add(STEEL, rounded_box((0.06, 0.1, 0.08), (0.45, 0, 0.4 * high), 0.02))
    for sy in (-1, 1):
        strap = [
            (-0.2, sy * 0.2, 0.95 * high),
            (-0.44, sy * 0.26, 0.7 * high),
            (-0.22, sy * 0.34, 0.12 * high),
        ]
        out.add(paint["straps"], tube(strap, 0.065, 7))
    out.add(paint["straps"], tube(arc((0, 0, high + 0.16), (0.14, 0.14), 0, 180, "yz"), 0.04, 7))
    out.describe(tall, "short", "tall")
    return out


def build_umbrella(rng: Draws, paint: Paint) -> Assembly:
    """An open umbrella: an eight-sided canopy with coloured gores, a stick with a hook."""
    out = Assembly()
    flat = rng.random()
    rise = between(flat, 0.5, 0.32)
    outer = [(0.06, rise), (0.4, 0.82 * rise), (0.72, 0.42 * rise), (0.9, 0.0)]
    shell = outer[::-1] + [(r - 0.04, z - 0.04) for r, z in outer]
    out.add(paint["body"], hoop(shell, 16))
    for k in range(8):
        angle = np.deg2rad(45 * k)
        path = [(r * np.cos(angle), r * np.sin(angle), z + 0.01) for r, z in outer]
        out.add(paint["ribs"], tube(path, 0.028, 5))
    out.add(paint["ribs"], cone((0, 0, rise - 0.03), (0, 0, rise + 0.2), 0.05, 8))
    out.add(paint["handle"], rod((0, 0, -0.75), (0, 0, rise), 0.03))
    out.add(paint["handle"], tube(arc((0.12, 0, -0.75), (0.12, 0.14), 180, 370, "xz"), 0.05, 8))
    return out
